import { Button, Group, Stack, Table, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useText } from "../api/live";
import * as queries from "../api/queries";
import { clean } from "../lib/format";
import { Live, Word } from "../parts/Badges";
import { Page } from "../parts/Page";
import { ErrorPanel, Shown } from "../parts/Standing";
import { TabbedPanel } from "../parts/Tabs";

const route = getRouteApi("/settings");

export function SettingsPage() {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const go = useNavigate();
  return (
    <Page
      title="Settings"
      actions={
        <Button variant="default" onClick={() => void go({ to: "/welcome" })}>
          Set up again
        </Button>
      }
    >
      <TabbedPanel
        tab={tab}
        onTab={(chosen) => void navigate({ search: { tab: chosen }, replace: true })}
        tabs={[
          { name: "doctor", title: "Doctor", shown: <Doctor /> },
          { name: "config", title: "Configuration", shown: <Configuration /> },
          { name: "log", title: "Log", shown: <Log /> },
        ]}
      />
    </Page>
  );
}

function Doctor() {
  const doctor = useQuery(queries.doctor);
  return (
    <Shown read={doctor} what="the checks">
      {({ checks }) => (
        <Stack gap="md">
          {checks.map((check) => (
            <Group key={check.name} align="flex-start" wrap="nowrap">
              <div style={{ width: 92, flexShrink: 0 }}>
                <Word word={check.standing} />
              </div>
              <div>
                <Text size="sm" fw={600}>
                  {clean(check.name)}
                </Text>
                <Text size="sm" className="break">
                  {clean(check.found)}
                </Text>
                {check.next && (
                  <Text size="sm" c="dimmed" className="break">
                    Next: {clean(check.next)}
                  </Text>
                )}
              </div>
            </Group>
          ))}
          <Button variant="default" w="fit-content" loading={doctor.isFetching} onClick={() => void doctor.refetch()}>
            Check again
          </Button>
        </Stack>
      )}
    </Shown>
  );
}

function Configuration() {
  return (
    <Shown read={useQuery(queries.config)} what="the configuration">
      {({ settings }) => (
        <Stack>
          <Table.ScrollContainer minWidth={420} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Setting</Table.Th>
                  <Table.Th>Value</Table.Th>
                  <Table.Th>From</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {settings.map((setting) => (
                  <Table.Tr key={setting.key}>
                    <Table.Td>{setting.key}</Table.Td>
                    <Table.Td className="mono break">{clean(setting.value)}</Table.Td>
                    <Table.Td>{setting.origin ? clean(`${setting.source}: ${setting.origin}`) : setting.source}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
          <Text size="sm" c="dimmed">
            Change one with <span className="mono">opensky config set NAME VALUE</span>; it holds from the next start.
          </Text>
        </Stack>
      )}
    </Shown>
  );
}

const LINES = 500;

function Log() {
  const log = useText(`/v1/logs?follow=true&lines=${LINES}`);
  const [find, setFind] = useState("");
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  const lines = clean(log.text).split("\n");
  const shown = find === "" ? lines : lines.filter((line) => line.toLowerCase().includes(find.toLowerCase()));
  const text = shown.slice(-2 * LINES).join("\n");
  useEffect(() => {
    const pre = box.current;
    if (pre && isAtEnd.current) pre.scrollTop = pre.scrollHeight;
  }, [text]);
  return (
    <Stack gap="xs">
      <Group>
        <TextInput
          aria-label="Find lines"
          placeholder="Find lines"
          value={find}
          onChange={(event) => setFind(event.currentTarget.value)}
        />
        <Live open={log.state === "reading"} />
      </Group>
      {log.state === "failed" && <ErrorPanel error={new Error("The log cannot be read.")} />}
      <pre
        className="text-block"
        ref={box}
        tabIndex={0}
        aria-label="Log of the node"
        onScroll={({ currentTarget: pre }) => {
          isAtEnd.current = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 24;
        }}
      >
        {text}
      </pre>
    </Stack>
  );
}
