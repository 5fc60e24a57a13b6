import { expect, test } from "vitest";
import { Gesture } from "../src/lib/gesture";
import { layoutGraph, nearest, nodesOf, WHOLE } from "../src/lib/graph";
import { madeSky } from "./sky";

const TWICE = { x: 0, y: 0, scale: 2 };
const at = (x: number, y = 0) => ({ x, y });

test("one pointer drags a picture that is zoomed, and none that is whole", () => {
  const gesture = new Gesture();
  gesture.press(1, at(10), TWICE);
  expect(gesture.move(1, at(12), 4)).toBeUndefined();
  expect(gesture.hasMoved).toBe(false);
  expect(gesture.move(1, at(30, 5), 4)).toEqual({ x: 20, y: 5, scale: 2 });
  // Once it is dragged, small moves count too.
  expect(gesture.move(1, at(11), 4)).toEqual({ x: 1, y: 0, scale: 2 });
  gesture.release(1);
  expect(gesture.hasMoved).toBe(true);
  expect(gesture.move(1, at(90), 4)).toBeUndefined();
  gesture.press(1, at(10), WHOLE);
  expect(gesture.move(1, at(90), 4)).toBeUndefined();
  expect(gesture.hasMoved).toBe(false);
});

test("two fingers zoom about their middle, and what is below them stays there", () => {
  const gesture = new Gesture();
  gesture.press(1, at(-10), WHOLE);
  gesture.press(2, at(30), WHOLE);
  gesture.move(1, at(-30), 4);
  expect(gesture.move(2, at(50), 4)).toEqual({ x: -10, y: 0, scale: 2 });
  // A third has no part in it.
  gesture.press(3, at(500), WHOLE);
  expect(gesture.move(3, at(600), 4)).toBeUndefined();
  // The one that stays drags on from there.
  gesture.release(1);
  expect(gesture.move(2, at(60), 4)).toEqual({ x: 0, y: 0, scale: 2 });
  gesture.release(2);
  gesture.press(1, at(-30), TWICE);
  gesture.press(2, at(30), TWICE);
  expect(gesture.move(2, at(-29), 4)).toEqual(WHOLE);
});

test("a finger beside a dot means the nearest", () => {
  const { peers, offers } = madeSky(60);
  const graph = layoutGraph(nodesOf("own", peers, offers, []));
  for (const { node, x, y } of graph.regions.flatMap(({ dots }) => dots)) {
    expect(nearest(graph, at(x + 2, y - 2), 20)).toBe(node.id);
  }
  expect(nearest(graph, at(0), 10)).toBeUndefined();
});
