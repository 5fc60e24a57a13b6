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

/** The step before one; `undefined` before the first. */
export const stepBefore = (step: Step): Step | undefined => STEPS[STEPS.indexOf(step) - 1];

/** What has the focus, as far as it decides what a key does. */
export interface Focused {
  tagName: string;
  role: string | null;
  /** Whether it belongs to a form, whose own way Enter goes. */
  isInForm: boolean;
}

/**
 * Where a key leads from a step. Enter goes on from the heading, a slider and a field; buttons, links and forms have a
 * use of their own for it. Escape goes back, unless somebody types.
 */
export function keyLeads(key: string, { tagName, role, isInForm }: Focused): "on" | "back" | undefined {
  const isField = tagName === "INPUT";
  if (key === "Escape") return isField && role !== "switch" ? undefined : "back";
  if (key !== "Enter" || isInForm) return undefined;
  return isField || tagName === "H2" || role === "slider" ? "on" : undefined;
}

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

/** Eight digits that tell invites apart (FNV-1a). A folder's name may be seen by others, an invite may not. */
function digits(token: string): string {
  let sum = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(token)) sum = Math.imul(sum ^ byte, 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, "0");
}

/**
 * The commands that let this machine join another sky: they stop this node and no other, and start one in a folder
 * of its own for each invite, as a data folder belongs to one sky for good.
 */
export function joinCommands(dataDir: string, invite: string): string {
  const token = invite.trim();
  const folder = `${dataDir.replace(/(?<=.)[/\\]+$/, "")}-${digits(token)}`;
  return [`opensky --data-dir ${shellWord(dataDir)} down`, `opensky --data-dir ${shellWord(folder)} up --join ${token}`].join("\n");
}
