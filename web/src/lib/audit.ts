// Lines of the audit log, as they stand in the node's log.

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
