// Numbers for things that are compared by what they are, not by what they look like.

const numbers = new WeakMap<object, number>();
let last = 0;

/** The number of one object: another one has another, however alike they are. */
export function numberOf(thing: object): number {
  const number = numbers.get(thing) ?? (last += 1);
  numbers.set(thing, number);
  return number;
}
