// What a page shows instead of data.

import { Alert, Button, Center, Code, Group, Loader, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconCloud } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";

export function Loading({ what }: { what: string }) {
  return (
    <Center mih={160} role="status">
      <Group gap="sm">
        <Loader size="sm" aria-hidden />
        <Text c="dimmed">Reading {what}…</Text>
      </Group>
    </Center>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Center mih={160} p="md">
      <Stack align="center" gap="xs" maw={460}>
        <ThemeIcon variant="light" size="xl" radius="xl" aria-hidden>
          <IconCloud />
        </ThemeIcon>
        <Text fw={600}>{title}</Text>
        {children && (
          <Text c="dimmed" ta="center" size="sm" component="div" className="empty">
            {children}
          </Text>
        )}
      </Stack>
    </Center>
  );
}

export function ErrorPanel({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = error instanceof ApiError ? error : undefined;
  const detail = error instanceof Error ? error.message : "Something failed.";
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title={problem ? titleOf(problem) : "This page failed"} my="sm">
      <Stack gap="xs" align="flex-start">
        <Text size="sm" className="break">
          {detail}
        </Text>
        {problem?.next && (
          <Text size="sm">
            Next: {problem.status === 0 ? <Code>{problem.next}</Code> : problem.next}
          </Text>
        )}
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

function titleOf(problem: ApiError): string {
  if (problem.status === 0) return "The node does not answer";
  if (problem.status === 404) return "Not found";
  return "The node said no";
}

export function Missing({ what }: { what: string }) {
  return <Empty title={`There is no such ${what}`}>The menu leads to those that there are.</Empty>;
}

interface Read<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** What was read, or what stands for it. An error beside older data is shown above it. */
export function Shown<T>({ read, what, children }: { read: Read<T>; what: string; children: (data: T) => ReactNode }) {
  const error = read.error ? <ErrorPanel error={read.error} onRetry={() => void read.refetch()} /> : undefined;
  if (read.data === undefined) return error ?? <Loading what={what} />;
  return (
    <>
      {error}
      {children(read.data)}
    </>
  );
}
