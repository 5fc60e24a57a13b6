// Roles, from the least.

import type { OpenSessionView, Role, SpendView } from "../api/types";
import { credits } from "./amount";
import { clean } from "./format";

export const ROLES: Role[] = ["viewer", "operator", "owner"];

/** What each may do, in a line. */
export const MEANING: Record<Role, string> = {
  viewer: "sees everything but keys and invites, changes nothing",
  operator: "also runs and stops jobs and services",
  owner: "does all: money, limits, keys, invites",
};

/** Whether somebody with one role may what needs another. */
export const may = (has: Role, needs: Role) => ROLES.indexOf(has) >= ROLES.indexOf(needs);

/** What a session was opened by. */
export function openerOf({ key, wallet }: Pick<OpenSessionView, "key" | "wallet">): string {
  if (key !== undefined) return `key ${clean(key)}`;
  return wallet === undefined ? "a link" : `wallet ${clean(wallet)}`;
}

/** What a key has spent of what it may. */
export function spendWords(spend: SpendView | undefined): string {
  if (!spend) return "without a limit of its own";
  const words = `${credits(spend.spent_micros)} of ${credits(spend.limit_micros)} credits`;
  return spend.per === "day" ? `${words} a day` : words;
}
