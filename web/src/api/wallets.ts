// Wallets of the browser (EIP-6963): found, asked for a signature, logged in with (EIP-4361).

import { useEffect, useState } from "react";
import { ApiError, ask } from "./client";
import type { ChallengeView, SessionView } from "./types";

/** What a wallet offers (EIP-1193). */
interface Provider {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
}

/** A wallet as it announces itself. */
export interface BrowserWallet {
  id: string;
  name: string;
  provider: Provider;
}

const NAME_CHARS_MAX = 40;
const WALLETS_MAX = 12;

/** What somebody is told when it did not work. */
export class WalletError extends Error {}

/** What an extension announced, if it is of the form that the standard says. */
function announced(event: Event): BrowserWallet | undefined {
  const detail = (event as CustomEvent<unknown>).detail as
    | { info?: { uuid?: unknown; name?: unknown }; provider?: { request?: unknown } }
    | undefined;
  const { uuid, name } = detail?.info ?? {};
  if (typeof uuid !== "string" || typeof name !== "string" || name.trim() === "") return undefined;
  if (typeof detail?.provider?.request !== "function") return undefined;
  return { id: uuid, name: name.trim().slice(0, NAME_CHARS_MAX), provider: detail.provider as Provider };
}

/** The wallets of this browser, as they announce themselves. */
export function useWallets(): BrowserWallet[] {
  const [wallets, setWallets] = useState<BrowserWallet[]>([]);
  useEffect(() => {
    const listen = (event: Event) => {
      const wallet = announced(event);
      if (!wallet) return;
      setWallets((known) =>
        known.length >= WALLETS_MAX || known.some(({ id }) => id === wallet.id) ? known : [...known, wallet],
      );
    };
    window.addEventListener("eip6963:announceProvider", listen);
    window.dispatchEvent(new Event("eip6963:requestProvider"));
    return () => window.removeEventListener("eip6963:announceProvider", listen);
  }, []);
  return wallets;
}

/** Text as wallets take it. */
export function hexOf(text: string): string {
  return `0x${[...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

async function asked<T>(provider: Provider, method: string, params: unknown[] = []): Promise<T> {
  try {
    return (await provider.request({ method, params })) as T;
  } catch (error) {
    // 4001: the user said no (EIP-1193).
    const code = (error as { code?: unknown } | null)?.code;
    throw new WalletError(
      code === 4001 ? "The wallet did not sign. Nothing happened." : "The wallet gave no answer. Unlock it and try again.",
    );
  }
}

/** Has a wallet sign a message of the node; the session is in a cookie then. */
export async function loginWith(wallet: BrowserWallet): Promise<void> {
  const [address] = await asked<string[]>(wallet.provider, "eth_requestAccounts");
  if (typeof address !== "string") throw new WalletError("The wallet has no account.");
  const chain_id = Number.parseInt(await asked<string>(wallet.provider, "eth_chainId"), 16);
  const { message } = await ask<ChallengeView>("/v1/session/challenges", { method: "POST", json: { address, chain_id } });
  const signature = await asked<string>(wallet.provider, "personal_sign", [hexOf(message), address]);
  await ask<SessionView>("/v1/session/wallet", { method: "POST", json: { message, signature } });
}

/** What went wrong, in words. */
export function wordsOf(failure: unknown): { what: string; next?: string | undefined } {
  if (failure instanceof WalletError) return { what: failure.message };
  if (failure instanceof ApiError) return { what: failure.detail, next: failure.next };
  return { what: "The login failed." };
}
