import { expect, test } from "vitest";
import { diskMost, GIB } from "../src/lib/limits";
import { isInvite, isStep, joinCommands, keyLeads, shellWord, STEPS, stepAfter, stepBefore } from "../src/lib/setup";
import { may, openerOf, ROLES, spendWords } from "../src/lib/roles";

test("the first run has an order and an end", () => {
  expect(STEPS.map(stepAfter)).toEqual(["share", "sky", "test", undefined]);
  expect([isStep("sky"), isStep("nowhere"), isStep(undefined)]).toEqual([true, false, false]);
});

test("Enter goes on and Escape back, where nothing else takes them", () => {
  const heading = { tagName: "H2", role: null, isInForm: false };
  const field = { tagName: "INPUT", role: null, isInForm: false };
  const slider = { tagName: "DIV", role: "slider", isInForm: false };
  const button = { tagName: "BUTTON", role: null, isInForm: false };
  expect([heading, field, slider].map((focused) => keyLeads("Enter", focused))).toEqual(["on", "on", "on"]);
  expect([button, { ...field, isInForm: true }].map((focused) => keyLeads("Enter", focused))).toEqual([undefined, undefined]);
  expect([heading, slider, button].map((focused) => keyLeads("Escape", focused))).toEqual(["back", "back", "back"]);
  expect(keyLeads("Escape", field)).toBeUndefined();
  expect(keyLeads("Escape", { ...field, role: "switch" })).toBe("back");
  expect(keyLeads(" ", heading)).toBeUndefined();
  expect(STEPS.map(stepBefore)).toEqual([undefined, "name", "share", "sky"]);
});

test("another sky is joined by commands that a shell reads as they are meant", () => {
  expect(shellWord("/home/me/.local/share/opensky")).toBe("/home/me/.local/share/opensky");
  expect(shellWord("/my data/it's; rm -rf")).toBe(`'/my data/it'\\''s; rm -rf'`);
});

test("who joins another sky stops this node alone, and has a folder for each invite", () => {
  const commands = (folder: string, letter: string) => joinCommands(folder, ` sky1${letter.repeat(40)} `).split("\n");
  const [down, up] = commands("/my data", "a");
  expect(down).toBe("opensky --data-dir '/my data' down");
  expect(up).toMatch(/^opensky --data-dir '\/my data-[0-9a-f]{8}' up --join sky1a{40}$/);
  expect(commands("/my data", "a")).toEqual([down, up]);
  expect(commands("/data", "a")[1]).toMatch(/^opensky --data-dir \/data-[0-9a-f]{8} up/);
  expect(commands("/data/", "a")[1]).toBe(commands("/data", "a")[1]);
  const folders = [..."abcdef"].map((letter) => commands("/data", letter)[1]?.split(" ")[2]);
  expect(new Set(folders).size).toBe(6);
});

test("what is no invite is not put into a command", () => {
  expect(isInvite(`sky1${"Ab0".repeat(20)}`)).toBe(true);
  for (const text of ["", "sky1", "sky1 $(reboot)aaaaaaaaaaaaaaaaaaaaaaaa", `sky2${"a".repeat(40)}`, "sky1aaaaaaaaaaaaaaaaaaaaaaaa;ls"]) {
    expect(isInvite(text), text).toBe(false);
  }
});

test("each role may what those before it may", () => {
  const table = ROLES.map((has) => ROLES.map((needs) => may(has, needs)));
  expect(table).toEqual([
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
});

test("a session says what opened it", () => {
  expect(openerOf({})).toBe("a link");
  expect(openerOf({ key: "ci\u202e" })).toBe("key ci");
  expect(openerOf({ wallet: "0x5aAeb6" })).toBe("wallet 0x5aAeb6");
});

test("as much disk can be shared as is free or shared already", () => {
  expect(diskMost({ disk_free_bytes: 90 * GIB }, { disk_bytes: 10 * GIB })).toBe(100 * GIB);
});

test("a key says what it may spend", () => {
  expect(spendWords(undefined)).toBe("without a limit of its own");
  expect(spendWords({ limit_micros: 5_000_000, spent_micros: 1_500_000, per: "day" })).toBe("1.50 of 5.00 credits a day");
  expect(spendWords({ limit_micros: 5_000_000, spent_micros: 0, per: "ever" })).toBe("0.00 of 5.00 credits");
});
