// The sky as a picture: regions as circles, nodes as dots. Hundreds of dots, so those of a region are drawn anew only if
// the region changed, or which of them is chosen.

import { ActionIcon, Group } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { IconFocusCentered, IconMinus, IconPlus } from "@tabler/icons-react";
import { type KeyboardEvent, memo, type MouseEvent, type PointerEvent, useCallback, useEffect, useRef, useState } from "react";
import { count, plural, roundTrip, shortId } from "../lib/format";
import { Gesture } from "../lib/gesture";
import { distance, type Dot, DOT_RADIUS, type Graph, LINES_MAX, moved, nearest, type Region, summary, type View, WHOLE, zoomed } from "../lib/graph";

const STEP = 1.5;
const FONT = 14;
const FONT_PIXELS_MIN = 10;
/** A press that moves less than this, in pixels, chooses; one that moves more drags, if there is more than is in sight. */
const CLICK_PIXELS_MAX = 4;
/** How far beside a dot a finger may be, in pixels. */
const FINGER_PIXELS = 22;

interface Props {
  graph: Graph;
  selected?: string;
  onSelect: (id: string | undefined) => void;
}

const domId = (id: string) => `sky-${id}`;

export function SkyGraph({ graph, selected, onSelect }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const { view, setView, drag } = useView(svg, graph, onSelect);
  const { ref: frame, width, height } = useElementSize();
  const { box, regions } = graph;
  // Pixels of a unit: on a phone words would shrink with the picture.
  const shown = Math.min(width / box.width, height / box.height) || 1;
  const isWide = shown * view.scale > 0.65;
  const size = Math.max(FONT, FONT_PIXELS_MIN / shown) / view.scale;
  const all = regions.flatMap((region) => region.dots);
  const chosen = all.find((dot) => dot.node.id === selected);
  const onKey = (event: KeyboardEvent) => {
    const zooms: Record<string, View> = { "+": zoomed(view, STEP, 0, 0), "-": zoomed(view, 1 / STEP, 0, 0), "0": WHOLE };
    const to = moved(graph, selected, event.key);
    if (zooms[event.key]) setView(zooms[event.key] ?? WHOLE);
    else if (event.key === "Escape") onSelect(undefined);
    else if (to !== undefined) onSelect(to);
    else return;
    event.preventDefault();
  };
  return (
    <div className="graph" ref={frame}>
      <Group gap={4} className="graph-tools">
        <Tool label="Closer" icon={<IconPlus size={16} />} onClick={() => setView(zoomed(view, STEP, 0, 0))} />
        <Tool label="Further away" icon={<IconMinus size={16} />} onClick={() => setView(zoomed(view, 1 / STEP, 0, 0))} />
        <Tool label="All of it" icon={<IconFocusCentered size={16} />} onClick={() => setView(WHOLE)} />
      </Group>
      <svg
        ref={svg}
        viewBox={`${box.x} ${box.y} ${box.width} ${box.height}`}
        role="listbox"
        tabIndex={0}
        aria-label="Nodes of the sky; arrow keys choose one, plus and minus zoom"
        aria-activedescendant={chosen && domId(chosen.node.id)}
        onKeyDown={onKey}
        data-zoomed={view.scale > 1}
        {...drag}
      >
        <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
          <g aria-hidden>
            {regions.map(({ name, x, y, radius }) => (
              <circle key={name} cx={x} cy={y} r={radius} className="region" />
            ))}
            {all.length <= LINES_MAX && all.map((dot) => <Line key={dot.node.id} dot={dot} />)}
          </g>
          <circle r={DOT_RADIUS * 1.8} className="dot-own" aria-hidden />
          {regions.map((region) => (
            <RegionShape
              key={region.name}
              region={region}
              selected={region.dots.some(({ node }) => node.id === selected) ? selected : undefined}
              onSelect={onSelect}
            />
          ))}
          {chosen && (
            <g aria-hidden>
              <Line dot={chosen} isChosen />
              <circle cx={chosen.x} cy={chosen.y} r={DOT_RADIUS + 4} className="dot-chosen" />
            </g>
          )}
          <g aria-hidden>
            {regions.map((region) => (
              <RegionWords key={region.name} region={region} size={size} isWide={isWide} />
            ))}
            <text y={DOT_RADIUS * 1.8 + 4 + size} fontSize={size} textAnchor="middle">
              this node
            </text>
          </g>
        </g>
      </svg>
    </div>
  );
}

function Tool({ label, icon, onClick }: { label: string; icon: React.ReactNode; onClick: () => void }) {
  return (
    <ActionIcon variant="default" aria-label={label} title={label} onClick={onClick}>
      {icon}
    </ActionIcon>
  );
}

type Press = { clientX: number; clientY: number };
/** Where on the picture a press is, and how many pixels a unit is there. */
type Place = (element: Element, press: Press) => { x: number; y: number; shown: number };

/**
 * Dragging moves the picture once it is zoomed; the wheel with Ctrl (which is what a pinch on a touchpad sends) and two
 * fingers zoom it. Without these, the page scrolls.
 */
function useView(svg: React.RefObject<SVGSVGElement | null>, graph: Graph, onSelect: Props["onSelect"]) {
  const [view, setView] = useState(WHOLE);
  const gesture = useRef(new Gesture());
  const isTouch = useRef(false);
  const { x: left, y: top, width, height } = graph.box;
  const place: Place = useCallback(
    (element, { clientX, clientY }) => {
      const frame = element.getBoundingClientRect();
      const shown = Math.min(frame.width / width, frame.height / height);
      const x = left + width / 2 + (clientX - frame.left - frame.width / 2) / shown;
      const y = top + height / 2 + (clientY - frame.top - frame.height / 2) / shown;
      return { x, y, shown };
    },
    [left, top, width, height],
  );
  useWheel(svg, place, setView);
  const release = ({ pointerId }: PointerEvent) => gesture.current.release(pointerId);
  const drag = {
    onPointerDown: (event: PointerEvent<SVGSVGElement>) => {
      isTouch.current = event.pointerType !== "mouse";
      if (event.button === 0) gesture.current.press(event.pointerId, place(event.currentTarget, event), view);
    },
    onPointerMove: (event: PointerEvent<SVGSVGElement>) => {
      // Let go where this picture was not told of it.
      if (event.buttons === 0) return release(event);
      const at = place(event.currentTarget, event);
      const moved = gesture.current.move(event.pointerId, at, CLICK_PIXELS_MAX / at.shown);
      if (!moved) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      setView(moved);
    },
    onPointerUp: release,
    onPointerCancel: release,
    onPointerLeave: release,
    // A click that no pointer made, as a screen reader's, has no detail.
    onClickCapture: (event: MouseEvent) => event.detail > 0 && gesture.current.hasMoved && event.stopPropagation(),
    onClick: (event: MouseEvent<SVGSVGElement>) => {
      // A dot that is hit chooses itself; fingers may miss it by a little.
      if (!isTouch.current || (event.target as Element).getAttribute("role") === "option") return;
      const { x, y, shown } = place(event.currentTarget, event);
      const at = { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale };
      const id = nearest(graph, at, FINGER_PIXELS / shown / view.scale);
      if (id) onSelect(id);
    },
  };
  return { view, setView, drag };
}

function useWheel(svg: React.RefObject<SVGSVGElement | null>, place: Place, setView: (change: (now: View) => View) => void) {
  useEffect(() => {
    const element = svg.current;
    if (!element) return undefined;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const { x, y } = place(element, event);
      setView((now) => zoomed(now, event.deltaY < 0 ? 1.2 : 1 / 1.2, x, y));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [svg, place, setView]);
}

function Line({ dot: { node, x, y }, isChosen }: { dot: Dot; isChosen?: boolean }) {
  if (node.way === "known") return null;
  return <line x2={x} y2={y} className={`line-${node.way} ${isChosen ? "line-chosen" : ""}`} />;
}

interface RegionProps {
  region: Region;
  /** If it is in this region. */
  selected?: string;
  onSelect: (id: string) => void;
}

const RegionShape = memo(function RegionShape({ region, selected, onSelect }: RegionProps) {
  const { name, dots } = region;
  const { direct, relayed, rtt_us } = summary(region);
  const facts = [`${count(direct + relayed)} of ${count(dots.length)} connected`];
  if (relayed > 0) facts.push(`${relayed} relayed`);
  if (rtt_us !== undefined) facts.push(`half within ${roundTrip(rtt_us)}`);
  return (
    <g role="group" aria-label={`${name}: ${plural(dots.length, "node")}, ${facts.join(", ")}`}>
      <Dots dots={dots} selected={selected} onSelect={onSelect} />
    </g>
  );
});

/** Above all circles, so that none covers them. */
function RegionWords({ region: { name, x, y, radius, dots }, size, isWide }: { region: Region; size: number; isWide: boolean }) {
  const { known, rtt_us } = summary({ dots });
  const connected = `${count(dots.length - known)} of ${count(dots.length)}`;
  return (
    <>
      <text x={x} y={y - radius - size * (isWide ? 1.5 : 0.4)} fontSize={size} textAnchor="middle" className="region-name">
        {name}
      </text>
      {isWide && (
        <text x={x} y={y - radius - size * 0.4} fontSize={size * 0.85} textAnchor="middle" className="region-facts">
          {rtt_us === undefined ? connected : `${connected} · ${roundTrip(rtt_us)}`}
        </text>
      )}
    </>
  );
}

const Dots = memo(function Dots({ dots, selected, onSelect }: { dots: Dot[] } & Pick<RegionProps, "selected" | "onSelect">) {
  return dots.map(({ node, x, y }) => (
    <circle
      key={node.id}
      id={domId(node.id)}
      role="option"
      aria-selected={node.id === selected}
      aria-label={`${shortId(node.id)}, ${node.way}${node.rtt_us === undefined ? "" : `, ${roundTrip(node.rtt_us)}`}`}
      cx={x}
      cy={y}
      r={DOT_RADIUS}
      className={`dot dot-${node.way} dot-${distance(node.rtt_us)}`}
      onClick={() => onSelect(node.id)}
    />
  ));
});

/** What dots and lines mean. */
export function GraphLegend() {
  return (
    <ul className="graph-legend">
      {(["near", "middle", "far", "unmeasured"] as const).map((step) => (
        <Meaning key={step} shape={`dot dot-direct dot-${step}`} text={LEGEND[step]} />
      ))}
      <Meaning shape="dot dot-relayed dot-unmeasured" text="through another node" />
      <Meaning shape="dot dot-known" text="known, not connected" />
    </ul>
  );
}

const LEGEND = { near: "under 30 ms", middle: "30 to 120 ms", far: "over 120 ms", unmeasured: "not measured" };

function Meaning({ shape, text }: { shape: string; text: string }) {
  return (
    <li>
      <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden>
        <circle r={DOT_RADIUS} className={shape} />
      </svg>
      {text}
    </li>
  );
}
