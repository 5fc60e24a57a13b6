// What a mouse or fingers on a picture do to its view: one drags it, two zoom it.

import { type View, WHOLE, zoomed } from "./graph";

/** In the units of the picture, as if its view were the whole. */
export interface Point {
  x: number;
  y: number;
}

const FINGERS = 2;

export class Gesture {
  /** Where each pointer that is down was when the last of them came or went, and where it is. */
  readonly #pointers = new Map<number, { from: Point; at: Point }>();
  /** The view then, and the view now. */
  #from: View = WHOLE;
  #view: View = WHOLE;
  #hasMoved = false;

  /** Whether this press, or the last one, moved the picture: then it chooses nothing. */
  get hasMoved(): boolean {
    return this.#hasMoved;
  }

  press(id: number, at: Point, view: View): void {
    if (this.#pointers.size === 0) [this.#hasMoved, this.#view] = [false, view];
    if (this.#pointers.size >= FINGERS && !this.#pointers.has(id)) return;
    this.#pointers.set(id, { from: at, at });
    this.#restart();
  }

  release(id: number): void {
    if (this.#pointers.delete(id)) this.#restart();
  }

  /** The view that a move leads to; `undefined` if it stays, as it does until a move is longer than `slack`. */
  move(id: number, at: Point, slack: number): View | undefined {
    const pointer = this.#pointers.get(id);
    if (!pointer) return undefined;
    pointer.at = at;
    const all = [...this.#pointers.values()];
    const [from, to] = [spanOf(all.map((one) => one.from)), spanOf(all.map((one) => one.at))];
    const factor = from.length > 0 && to.length > 0 ? to.length / from.length : 1;
    const [dx, dy] = [to.middle.x - from.middle.x, to.middle.y - from.middle.y];
    const isLong = Math.hypot(dx, dy) >= slack || Math.abs(to.length - from.length) >= slack;
    if (!this.#hasMoved && !isLong) return undefined;
    const view = zoomed(this.#from, factor, from.middle.x, from.middle.y);
    // All of it is in sight: there is nowhere to drag it to.
    if (view.scale === 1 && this.#from.scale === 1) return undefined;
    this.#hasMoved = true;
    this.#view = view.scale === 1 ? WHOLE : { ...view, x: view.x + dx, y: view.y + dy };
    return this.#view;
  }

  #restart(): void {
    for (const pointer of this.#pointers.values()) pointer.from = pointer.at;
    this.#from = this.#view;
  }
}

/** The middle of one or two points, and how far apart they are. */
function spanOf(points: Point[]): { middle: Point; length: number } {
  const [one = { x: 0, y: 0 }, other = one] = points;
  const middle = { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
  return { middle, length: Math.hypot(one.x - other.x, one.y - other.y) };
}
