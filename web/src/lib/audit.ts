// Lines of the audit log, as they stand in the node's log.

import { clean, plural } from "./format";

export interface Audit {
  /** Its place in what was read. */
  line: number;
  /** When, as the log has it: RFC 3339. */
  at: number;
  /** Who: `token`, `session`, `key NAME`, `session of key NAME`; not in lines that only name what was done. */
  caller?: string;
  /** What was asked, or what was done. */
  what: string;
  status?: number;
}

// The target stands right after the level: what others wrote into a line cannot pass for it.
const LINE = /^(\S+)\s+INFO audit: (.*)$/;
const REQUEST = /^request(?: whose caller went away)? caller=(.+?) method=(\S+) path="?(.*?)"?(?: status=(\d{3}))?$/;

/** A line of the log; `undefined` for one that is not of the audit log. */
export function parseAudit(line: string): Omit<Audit, "line"> | undefined {
  const [, time = "", rest = ""] = LINE.exec(line) ?? [];
  const at = Date.parse(time);
  if (Number.isNaN(at)) return undefined;
  const request = REQUEST.exec(rest);
  if (!request) return { at, what: rest };
  const [, caller, method, path, status] = request;
  return { at, caller, what: `${method} ${path}`, ...(status === undefined ? {} : { status: Number(status) }) };
}

/** The newest first. */
export const auditOf = (log: string) =>
  log
    .split("\n")
    .flatMap((text, line): Audit | [] => {
      const parsed = parseAudit(text);
      return parsed ? { line, ...parsed } : [];
    })
    .reverse();

/** What is said where no line is shown; `read`: how much of the log came, `all`: how many lines of it are of the audit log. */
export function noneWords(find: string, { read, all }: { read: number; all: number }): { title: string; text: string } {
  if (all > 0) return { title: "Nothing fits", text: `None of ${plural(all, "change")} has “${clean(find)}” in who or what.` };
  if (read === 0) return { title: "Nothing of the log came yet", text: "It is followed: what comes is shown." };
  return {
    title: "No change in the newest part of the log",
    text: "Each request that changes something leaves a line. What is older is in the node’s data folder: logs/node.log.",
  };
}
