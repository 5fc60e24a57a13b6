// Login: the code of a link for a session whose secret only the cookie holds.

import { useEffect, useState } from "react";
import { ApiError, ask, onLoggedOut, send } from "./client";
import type { SessionView } from "./types";

const HASH = "#login=";

/** The code in a link, or in what somebody pasted. */
export function codeOf(text: string): string | undefined {
  const code = text.slice(text.indexOf(HASH) + (text.includes(HASH) ? HASH.length : 1)).trim();
  return /^[0-9a-f]{64}$/.test(code) ? code : undefined;
}

export async function login(code: string): Promise<void> {
  await ask<SessionView>("/v1/session", { method: "POST", json: { code } });
}

const KEY = /^opensky_[0-9a-f]{64}$/;

/** Whether a text is that of an API key. */
export const isKey = (text: string) => KEY.test(text.trim());

/** A session that may what a key may, and ends with it. The key itself is not kept. */
export async function loginByKey(key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key.trim()}` };
  await ask<SessionView>("/v1/session", { method: "POST", json: {}, headers });
}

export async function logout(): Promise<void> {
  await send("/v1/session", { method: "DELETE" });
}

export type Session =
  | { state: "checking" }
  | { state: "open" }
  | { state: "none"; error?: ApiError }
  | { state: "unreachable"; error: ApiError };

/** Opens a session with the code in the address, or finds the one that is open. */
async function start(): Promise<Session> {
  const { hash, pathname, search } = window.location;
  if (hash.startsWith(HASH)) {
    // Out of the address and the browser's history before anything else happens.
    window.history.replaceState(null, "", pathname + search);
    await login(hash.slice(HASH.length));
  } else {
    await ask<SessionView>("/v1/session");
  }
  return { state: "open" };
}

function failed(error: unknown, hadCode: boolean): Session {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401) return hadCode ? { state: "none", error } : { state: "none" };
  return { state: "unreachable", error };
}

// A code works once, so one page load asks once, however often its components are mounted.
let started: Promise<Session> | undefined;

function startOnce(): Promise<Session> {
  const hadCode = window.location.hash.startsWith(HASH);
  started ??= start().catch((error: unknown) => failed(error, hadCode));
  return started;
}

export function useSession(): [Session, (login: () => Promise<void>) => Promise<void>, () => void] {
  const [session, setSession] = useState<Session>({ state: "checking" });
  useEffect(() => void startOnce().then(setSession), []);
  useEffect(
    () => onLoggedOut(() => setSession((now) => (now.state === "open" ? { state: "none" } : now))),
    [],
  );
  const enter = async (enters: () => Promise<void>) => {
    await enters();
    setSession({ state: "open" });
  };
  const again = () => {
    started = undefined;
    setSession({ state: "checking" });
    void startOnce().then(setSession);
  };
  return [session, enter, again];
}
