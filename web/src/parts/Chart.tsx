// Values over time, as steps or bars. Words are HTML, so that they keep their size.

import { Text } from "@mantine/core";
import { type PointerEvent, useState } from "react";
import { pointAt, thinned, ticks } from "../lib/chart";
import { moment } from "../lib/format";
import type { Point } from "../lib/money";

const WIDTH = 1_000;
const HEIGHT = 200;
const POINTS_MAX = 1_000;

interface Props {
  /** What it shows, for screen readers. */
  label: string;
  /** Oldest first, at least one. */
  points: Point[];
  inWords: (value: number) => string;
  /** Bars stand for a day each and begin at nothing. */
  kind: "steps" | "bars";
}

export function Chart({ label, points: all, inWords, kind }: Props) {
  const [hovered, setHovered] = useState<Point>();
  const points = thinned(all, POINTS_MAX);
  const values = points.map((point) => point.value);
  const scale = ticks(kind === "bars" ? 0 : Math.min(...values), Math.max(...values));
  const [low, high] = [scale[0] ?? 0, scale.at(-1) ?? 1];
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 1];
  const width = kind === "bars" ? WIDTH / points.length : 0;
  const x = (at: number) => (kind === "bars" ? 0 : ((at - first) / Math.max(1, last - first)) * WIDTH);
  const y = (value: number) => HEIGHT - ((value - low) / (high - low)) * HEIGHT;
  const onMove = (event: PointerEvent<SVGSVGElement>) => {
    const place = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - place.left) / Math.max(1, place.width);
    const bar = Math.min(points.length - 1, Math.floor(share * points.length));
    setHovered(kind === "bars" ? points[bar] : pointAt(points, first + share * (last - first)));
  };
  const shown = hovered ?? points.at(-1);
  const summary = `${label}: lowest ${inWords(Math.min(...values))}, highest ${inWords(Math.max(...values))}, last ${inWords(values.at(-1) ?? 0)}`;
  return (
    <div className="chart">
      <div className="chart-scale" aria-hidden>
        {scale.toReversed().map((value) => (
          <span key={value}>{inWords(value)}</span>
        ))}
      </div>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={summary}
        onPointerMove={onMove}
        onPointerLeave={() => setHovered(undefined)}
      >
        {scale.map((value) => (
          <line key={value} x1={0} x2={WIDTH} y1={y(value)} y2={y(value)} className="chart-line" />
        ))}
        {kind === "steps" ? (
          <path d={steps(points, x, y)} className="chart-path" />
        ) : (
          points.map(({ at, value }, index) => (
            <rect
              key={at}
              x={index * width + width * 0.15}
              width={width * 0.7}
              y={y(value)}
              height={HEIGHT - y(value)}
              className="chart-bar"
            />
          ))
        )}
      </svg>
      <div className="chart-times" aria-hidden>
        <span>{dayAndTime(first, kind)}</span>
        <span>{dayAndTime(last, kind)}</span>
      </div>
      {shown && (
        <Text size="sm" c="dimmed" className="chart-word">
          {kind === "bars" ? moment(shown.at).split(",")[0] : moment(shown.at)}: {inWords(shown.value)}
        </Text>
      )}
    </div>
  );
}

/** A value holds until the next one. */
function steps(points: Point[], x: (at: number) => number, y: (value: number) => number): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const moves = rest.map(({ at, value }) => `H${x(at).toFixed(1)}V${y(value).toFixed(1)}`);
  const end = rest.length === 0 ? `H${WIDTH}` : "";
  return `M${x(first.at).toFixed(1)} ${y(first.value).toFixed(1)}${moves.join("")}${end}`;
}

function dayAndTime(at: number, kind: Props["kind"]): string {
  const day = { day: "numeric", month: "short" } as const;
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  return new Date(at).toLocaleString("en-GB", kind === "bars" ? day : { ...day, ...time });
}
