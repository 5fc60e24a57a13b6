import { describe, expect, test } from "vitest";
import { ApiError } from "../src/api/client";
import { type BrowserWallet, hexOf, loginWith, WalletError, wordsOf } from "../src/api/wallets";

const walletThat = (answer: (method: string) => unknown): BrowserWallet => ({
  id: "1",
  name: "Test",
  provider: { request: ({ method }) => Promise.resolve().then(() => answer(method)) },
});

describe("logins by wallet", () => {
  test("text goes to the wallet as its bytes", () => {
    expect(hexOf("a\nß")).toBe("0x610ac39f");
  });

  test("a wallet that says no is told in words", async () => {
    const refusing = walletThat(() => {
      throw Object.assign(new Error("User rejected"), { code: 4001 });
    });
    await expect(loginWith(refusing)).rejects.toThrow("did not sign");
    const locked = walletThat(() => {
      throw new Error("internal");
    });
    await expect(loginWith(locked)).rejects.toThrow("Unlock it");
    await expect(loginWith(walletThat(() => []))).rejects.toThrow("no account");
  });

  test("every failure has words", () => {
    expect(wordsOf(new WalletError("x"))).toEqual({ what: "x" });
    expect(wordsOf(new ApiError(401, "unauthorized", "no", "next"))).toEqual({ what: "no", next: "next" });
    expect(wordsOf(1).what).toBe("The login failed.");
  });
});
