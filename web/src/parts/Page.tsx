import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

/** A page: its title, what can be done, and what it shows. */
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · OpenSky`;
  }, [title]);
  return (
    <Stack gap="md">
      <Group justify="space-between" align="center">
        <Title order={1} size="h2" className="break">
          {title}
        </Title>
        {actions}
      </Group>
      {children}
    </Stack>
  );
}

interface PanelProps {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A part of a page. */
export function Panel({ title, actions, children }: PanelProps) {
  return (
    <Paper withBorder p="md" className="card" component="section">
      {(title || actions) && (
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h5">
            {title}
          </Title>
          {actions}
        </Group>
      )}
      {children}
    </Paper>
  );
}

/** One figure with its name. */
export function Figure({ name, value, note }: { name: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="xl" fw={650} lh={1.3} component="div">
        {value}
      </Text>
      {note && (
        <Text size="sm" c="dimmed" component="div" className="break">
          {note}
        </Text>
      )}
    </div>
  );
}

/** Names and values, a line each. */
export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <Stack gap={6} component="dl" m={0}>
      {rows.map(([name, value]) => (
        <Group key={name} justify="space-between" gap="md" wrap="nowrap" align="baseline">
          <Text component="dt" size="sm" c="dimmed" style={{ flexShrink: 0 }}>
            {name}
          </Text>
          <Text component="dd" size="sm" ta="right" m={0} className="break">
            {value}
          </Text>
        </Group>
      ))}
    </Stack>
  );
}
