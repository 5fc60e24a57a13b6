import { describe, expect, it } from "vitest";
import { logText, nameProblem, portsOf, reference, standing } from "../src/lib/services";

describe("services", () => {
  it("are named as the API takes them", () => {
    expect(reference({ name: "web", own: true, owner: "N" })).toBe("web");
    expect(reference({ name: "web", own: false, owner: "N" })).toBe("web@N");
    for (const name of ["web", "a", "a-1"]) expect(nameProblem(name)).toBeUndefined();
    for (const name of ["", "-a", "a-", "Web", "a_b", "a".repeat(64)]) expect(nameProblem(name)).toBeDefined();
  });

  it("have ports as people write them", () => {
    expect(portsOf("80, 443 8080")).toEqual([80, 443, 8080]);
    expect(portsOf("")).toEqual([]);
    for (const text of ["0", "65536", "a", "80 80", "1.5"]) expect(portsOf(text)).toBeUndefined();
  });

  it("stand with the replicas that answer", () => {
    const replica = (state: string, lost = false, ending = false) =>
      ({ state, lost, ending }) as unknown as Parameters<typeof standing>[0]["replicas"][number];
    const replicas = [replica("healthy"), replica("starting"), replica("healthy", true), replica("healthy", false, true)];
    expect(standing({ replicas })).toBe("1");
  });

  it("have a log that is put together", () => {
    expect(logText('{"replica":"a.0.1","stream":"stdout","text":"one\\nt"}\n{"replica":"a.0.1","stream":"stdout","text":"wo\\n"}\n')).toBe(
      "one\ntwo\n",
    );
  });
});
