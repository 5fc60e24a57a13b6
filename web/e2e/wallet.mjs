// A browser with a wallet in it: announced as EIP-6963 says, its key held by the runner.

import { privateKeyToAccount } from "viem/accounts";

const account = privateKeyToAccount(`0x${"42".repeat(32)}`);

/** A page of its own whose browser has a wallet; `refuse` makes it say no. */
export async function withWallet(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const wallet = { page, address: account.address, refuse: false, signed: "", close: () => context.close() };
  const answers = {
    eth_requestAccounts: () => [account.address.toLowerCase()],
    eth_chainId: () => "0x1",
    personal_sign: async ([raw]) => {
      wallet.signed = Buffer.from(raw.slice(2), "hex").toString();
      return account.signMessage({ message: { raw } });
    },
  };
  await page.exposeFunction("askWallet", async (method, params) => {
    if (wallet.refuse) return { refused: true };
    return { answer: await answers[method](params) };
  });
  await page.addInitScript(() => {
    const provider = {
      async request({ method, params }) {
        const { refused, answer } = await window.askWallet(method, params);
        if (refused) throw Object.assign(new Error("User rejected the request."), { code: 4001 });
        return answer;
      },
    };
    const info = { uuid: "350670db-19fa-4704-a166-e52e178b59d2", name: "Test Wallet", icon: "data:,", rdns: "test.wallet" };
    const announce = () => {
      const detail = Object.freeze({ info, provider });
      window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
    };
    window.addEventListener("eip6963:requestProvider", announce);
    announce();
  });
  return wallet;
}
