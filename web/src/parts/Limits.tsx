// What the owner lets the sky use of this machine.

import { Button, Group, NumberInput, SimpleGrid, Slider, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "../api/client";
import * as queries from "../api/queries";
import type { Limits, LimitsView, NodeView } from "../api/types";
import { credits, parseCredits } from "../lib/amount";
import { bytes, clock, parseClock, plural } from "../lib/format";
import { diskMost, GIB } from "../lib/limits";
import { Panel } from "./Page";
import { Shown } from "./Standing";
import { useAct } from "./acting";
import { ActButton } from "./may";

/** The limits with all that can be set. */
export function LimitsPanel({ node }: { node: NodeView }) {
  const view = useQuery(queries.limits);
  return (
    <Panel title="What this machine shares">
      <Shown read={view} what="limits">
        {(data) => <LimitsForm key={JSON.stringify(data.limits)} view={data} node={node} />}
      </Shown>
    </Panel>
  );
}

interface Draft {
  limits: Limits;
  price: string;
  from: string;
  to: string;
}

function draftOf(limits: Limits): Draft {
  return {
    limits,
    price: credits(limits.price_per_gfuel),
    from: clock(limits.hours?.from_minute ?? 22 * 60),
    to: clock(limits.hours?.to_minute ?? 7 * 60),
  };
}

/** What the form says, or why it says nothing. */
function limitsOf(draft: Draft): Limits | string {
  const price = parseCredits(draft.price.replaceAll(",", ""));
  if (price === undefined) return "The price is an amount such as 0.5, with six decimals at most.";
  if (draft.limits.temperature_warning >= draft.limits.temperature_critical) {
    return "Running tasks have to stop at a higher temperature than new ones.";
  }
  if (!draft.limits.hours) return { ...draft.limits, price_per_gfuel: price };
  const [from_minute, to_minute] = [parseClock(draft.from), parseClock(draft.to)];
  if (from_minute === undefined || to_minute === undefined) return "Hours are written as 22:00.";
  return { ...draft.limits, hours: { from_minute, to_minute }, price_per_gfuel: price };
}

function LimitsForm({ view, node }: { view: LimitsView; node: NodeView }) {
  const [draft, setDraft] = useState(() => draftOf(view.limits));
  const set = (change: Partial<Limits>) => setDraft((now) => ({ ...now, limits: { ...now.limits, ...change } }));
  const wanted = limitsOf(draft);
  const isChanged = typeof wanted === "string" || JSON.stringify(wanted) !== JSON.stringify(view.limits);
  const save = useSaveLimits();
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Switch
          size="md"
          label="Share this machine"
          checked={draft.limits.share}
          onChange={(event) => set({ share: event.currentTarget.checked })}
        />
        <Text size="sm" c="dimmed">
          {view.closed_reason ? `Nothing is shared now: ${view.closed_reason}` : `${plural(view.slots_total, "slot")} now`}
        </Text>
      </Group>
      <Amounts limits={draft.limits} set={set} saved={view.limits} node={node} />
      <Conditions draft={draft} set={set} setDraft={setDraft} />
      {typeof wanted === "string" && (
        <Text c="red" size="sm" role="alert">
          {wanted}
        </Text>
      )}
      <Group>
        <ActButton
          needs="owner"
          disabled={!isChanged || typeof wanted === "string"}
          loading={save.isPending}
          onClick={() => typeof wanted !== "string" && save.mutate(wanted)}
        >
          Save limits
        </ActButton>
        <Button variant="default" disabled={!isChanged} onClick={() => setDraft(draftOf(view.limits))}>
          Undo
        </Button>
      </Group>
    </Stack>
  );
}

/** Sets the limits. */
export function useSaveLimits(then?: () => void) {
  return useAct({
    does: (limits: Limits) => ask<LimitsView>("/v1/limits", { method: "PUT", json: limits }),
    done: ({ slots_total }) => `Saved. ${plural(slots_total, "task")} may run at a time.`,
    changes: [queries.limits.queryKey, queries.node.queryKey, queries.status.queryKey],
    then,
  });
}

interface AmountsProps {
  limits: Limits;
  set: (change: Partial<Limits>) => void;
  /** Those that hold now, whatever is dragged. */
  saved: Limits;
  node: NodeView;
}

/** How much of the machine, as sliders. */
export function Amounts({ limits, set, saved, node }: AmountsProps) {
  const gpus = node.hardware.gpus.length;
  return (
    <SimpleGrid cols={{ base: 1, md: 3 }} spacing="xl">
      <Bar
        name="Processor"
        shown={`${limits.cpu_percent}% of ${node.hardware.cpu_cores} cores`}
        value={limits.cpu_percent}
        max={100}
        step={1}
        onChange={(cpu_percent) => set({ cpu_percent })}
      />
      <Bytes
        name="Memory"
        value={limits.memory_bytes}
        max={node.hardware.memory_bytes}
        step={0.25}
        onChange={(memory_bytes) => set({ memory_bytes })}
      />
      <Bytes
        name="Disk"
        value={limits.disk_bytes}
        max={diskMost(node.readings, saved)}
        step={1}
        onChange={(disk_bytes) => set({ disk_bytes })}
      />
      {gpus > 0 && (
        <Bar
          name="GPUs for programs of others"
          shown={`${limits.gpus ?? 0} of ${gpus}`}
          value={limits.gpus ?? 0}
          max={gpus}
          step={1}
          onChange={(gpus) => set({ gpus })}
        />
      )}
    </SimpleGrid>
  );
}

/** A bar whose value is bytes; its steps are of a GiB. */
function Bytes({ value, max, onChange, ...rest }: Omit<BarProps, "shown">) {
  return (
    <Bar
      {...rest}
      shown={bytes(value)}
      value={value / GIB}
      max={Math.max(1, Math.round(max / GIB))}
      onChange={(gib) => onChange(Math.round(gib * GIB))}
    />
  );
}

interface BarProps {
  name: string;
  shown: string;
  value: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
}

function Bar({ name, shown, value, max, step, onChange }: BarProps) {
  return (
    <div>
      <Group justify="space-between" mb={6}>
        <Text size="sm" fw={600}>
          {name}
        </Text>
        <Text size="sm">{shown}</Text>
      </Group>
      <Slider
        value={Math.min(value, max)}
        min={0}
        max={max}
        step={step}
        label={null}
        onChange={onChange}
        thumbLabel={name}
        thumbProps={{ "aria-valuetext": shown }}
      />
    </div>
  );
}

interface ConditionsProps {
  draft: Draft;
  set: (change: Partial<Limits>) => void;
  setDraft: (change: (now: Draft) => Draft) => void;
}

function Conditions({ draft, set, setDraft }: ConditionsProps) {
  const { limits } = draft;
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
      <TextInput
        label="Price"
        description="credits for a billion fuel"
        inputMode="decimal"
        value={draft.price}
        onChange={({ currentTarget: { value } }) => setDraft((now) => ({ ...now, price: value }))}
      />
      <NumberInput
        label="No new work from"
        description="degrees Celsius"
        value={limits.temperature_warning}
        min={-20}
        max={150}
        onChange={(value) => set({ temperature_warning: Number(value) })}
      />
      <NumberInput
        label="Stop work at"
        description="degrees Celsius"
        value={limits.temperature_critical}
        min={-20}
        max={150}
        onChange={(value) => set({ temperature_critical: Number(value) })}
      />
      <Stack gap="xs" justify="flex-end">
        <Switch
          label="Only while nobody uses it"
          checked={limits.only_when_idle}
          onChange={(event) => set({ only_when_idle: event.currentTarget.checked })}
        />
        <Switch
          label="Only at these hours"
          checked={limits.hours !== undefined}
          onChange={(event) =>
            set({ hours: event.currentTarget.checked ? { from_minute: 22 * 60, to_minute: 7 * 60 } : undefined })
          }
        />
        {limits.hours && (
          <Group grow>
            <TextInput
              aria-label="From"
              value={draft.from}
              onChange={({ currentTarget: { value } }) => setDraft((now) => ({ ...now, from: value }))}
            />
            <TextInput
              aria-label="To"
              value={draft.to}
              onChange={({ currentTarget: { value } }) => setDraft((now) => ({ ...now, to: value }))}
            />
          </Group>
        )}
      </Stack>
    </SimpleGrid>
  );
}
