import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import { clean, moment, shortId } from "../lib/format";

const IDS = /(12D3KooW[1-9A-HJ-NP-Za-km-z]{44}|osk1[0-9A-Za-z]{30,}|\b[0-9a-f]{64}\b)/;

/** What a node says, with its long ids shortened. */
export function Sentence({ text }: { text: string }) {
  const parts = clean(text).split(IDS);
  // Every second part is an id: the expression has one group.
  const shown = parts.map((part, at): ReactNode => (at % 2 === 1 ? <IdWord key={`${at} ${part}`} id={part} /> : part));
  return <span className="break">{shown}</span>;
}

function IdWord({ id }: { id: string }) {
  return (
    <span className="mono id" title={id}>
      {shortId(id)}
    </span>
  );
}

/** A moment on one line; the year is in its title. */
export function When({ at }: { at: number }) {
  const shown = new Date(at).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return (
    <Text span size="sm" title={moment(at)} className="when">
      {shown}
    </Text>
  );
}
