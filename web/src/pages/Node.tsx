import { Group, Progress, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import * as queries from "../api/queries";
import type { NodeView } from "../api/types";
import { bytes, clean, count, duration } from "../lib/format";
import { Id } from "../parts/Id";
import { ImagesPanel } from "../parts/Images";
import { LimitsPanel } from "../parts/Limits";
import { Facts, Page, Panel } from "../parts/Page";
import { Shown } from "../parts/Standing";

export function NodePage() {
  const node = useQuery(queries.node);
  return (
    <Page title="Node">
      <Shown read={node} what="the machine">
        {(data) => (
          <>
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <Hardware node={data} />
              <Readings node={data} />
            </SimpleGrid>
            <LimitsPanel node={data} />
            <ImagesPanel />
          </>
        )}
      </Shown>
    </Page>
  );
}

function Hardware({ node: { hardware, node, name, offer } }: { node: NodeView }) {
  const gpus = hardware.gpus.map((gpu) => clean(gpu.model)).join(", ");
  return (
    <Panel title="Machine">
      <Facts
        rows={[
          ["Name", clean(name)],
          ["Node", <Id key="id" id={node} what="node id" />],
          ["Processor", clean(hardware.cpu_model)],
          ["Cores", `${hardware.cpu_cores} (${hardware.cpu_arch})`],
          ["Memory", bytes(hardware.memory_bytes)],
          ["Disk speed", hardware.disk_write_mb_s === 0 ? "not measured" : `${count(hardware.disk_write_mb_s)} MB/s`],
          ["Accelerators", gpus || "none"],
          ["Score of a core", `${count(hardware.score_per_core)} Mfuel/s`],
          ["Offers levels", offer && offer.levels.length > 0 ? offer.levels.join(", ") : "nothing now"],
          ["Engines", offer?.engine ? clean(offer.engine) : "none offered"],
        ]}
      />
    </Panel>
  );
}

function Readings({ node: { readings, hardware, limits } }: { node: NodeView }) {
  const memoryUsed = Math.max(0, hardware.memory_bytes - readings.memory_available_bytes);
  const degrees = readings.temperature_celsius;
  return (
    <Panel title="Now">
      <Stack gap="md">
        <Meter name="Processor, used by others than this node" percent={readings.cpu_busy_percent} />
        <Meter
          name="Memory"
          percent={(100 * memoryUsed) / Math.max(1, hardware.memory_bytes)}
          note={`${bytes(readings.memory_available_bytes)} available`}
        />
        <Facts
          rows={[
            ["Free disk", bytes(readings.disk_free_bytes)],
            [
              "Temperature",
              degrees === undefined ? "no sensor" : `${degrees} °C (no new work from ${limits.temperature_warning} °C)`,
            ],
            ["Keyboard and pointer", readings.idle_ms === undefined ? "not known" : `idle for ${duration(readings.idle_ms)}`],
          ]}
        />
      </Stack>
    </Panel>
  );
}

function Meter({ name, percent, note }: { name: string; percent: number; note?: string }) {
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text size="sm">{name}</Text>
        <Text size="sm" c="dimmed">
          {note ?? `${Math.round(percent)}%`}
        </Text>
      </Group>
      <Progress value={Math.round(percent)} size="lg" aria-label={name} color={percent > 90 ? "red" : undefined} />
    </div>
  );
}
