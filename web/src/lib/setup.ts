// The first run: its steps, and whether this browser has been through them.

export const STEPS = ["name", "share", "sky", "test"] as const;
export type Step = (typeof STEPS)[number];

export interface WelcomeSearch {
  step?: Step;
}

export const TITLES: Record<Step, string> = {
  name: "Name",
  share: "What you share",
  sky: "Your sky",
  test: "A test run",
};

export const isStep = (value: unknown): value is Step => STEPS.some((step) => step === value);

/** The step after one; `undefined` after the last. */
export const stepAfter = (step: Step): Step | undefined => STEPS[STEPS.indexOf(step) + 1];

const key = (node: string) => `opensky.setup.${node}`;

/** Whether the steps were done or skipped in this browser. Where it keeps nothing, they were. */
export function isSetUp(node: string): boolean {
  try {
    return localStorage.getItem(key(node)) !== null;
  } catch {
    return true;
  }
}

export function markSetUp(node: string): void {
  try {
    localStorage.setItem(key(node), "done");
  } catch {
    // A browser that keeps nothing does not show the steps by itself either.
  }
}

/** A text as one word of a shell. */
export const shellWord = (text: string) => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const TOKEN = /^sky1[0-9A-Za-z_-]{20,}$/;

/** Whether a text looks like an invite; only the node that made it knows for sure. */
export const isInvite = (text: string) => TOKEN.test(text.trim());

/** The commands that let this machine join another sky: a data folder belongs to one sky for good. */
export const joinCommands = (dataDir: string, token: string) =>
  [`opensky down`, `opensky --data-dir ${shellWord(`${dataDir}-2`)} up --join ${token.trim()}`].join("\n");
