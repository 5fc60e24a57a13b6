import { useEffect, useRef, useState } from "react";

const KEPT = 60;
const HEIGHT = 30;

/** The last values of a figure that changes; one a reading. */
export function useRecent(value: number | undefined, reading: number): number[] {
  const [values, setValues] = useState<number[]>([]);
  const last = useRef<number>(undefined);
  useEffect(() => {
    if (value === undefined || last.current === reading) return;
    last.current = reading;
    setValues((before) => [...before, value].slice(-KEPT));
  }, [value, reading]);
  return values;
}

/** A line through them. */
export function Spark({ values, label }: { values: number[]; label: string }) {
  const highest = Math.max(1, ...values);
  const x = (at: number) => ((KEPT - values.length + at) / (KEPT - 1)) * 100;
  const y = (value: number) => HEIGHT - 2 - (value / highest) * (HEIGHT - 4);
  const points = values.map((value, at) => `${x(at).toFixed(2)},${y(value).toFixed(2)}`);
  return (
    <svg className="spark" viewBox={`0 0 100 ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline
        points={points.join(" ")}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
