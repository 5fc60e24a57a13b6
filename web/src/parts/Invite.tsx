// Letting another machine in.

import { Group, NumberInput, Stack, Switch, Text } from "@mantine/core";
import { useState } from "react";
import { ask } from "../api/client";
import * as queries from "../api/queries";
import type { InviteRequest, InviteView } from "../api/types";
import { moment } from "../lib/format";
import { Copy } from "./Id";
import { useAct } from "./acting";
import { ActButton } from "./may";

const HOUR_MS = 3_600_000;

/** Makes an invite and shows it. */
export function InviteForm() {
  const [uses, setUses] = useState(1);
  const [hours, setHours] = useState(1);
  const [lan, setLan] = useState(false);
  const make = useAct({
    does: (request: InviteRequest) => ask<InviteView>("/v1/invites", { method: "POST", json: request }),
    changes: [queries.invites.queryKey],
  });
  if (make.data) return <Token invite={make.data} />;
  return (
    <Stack
      component="form"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate({ uses_max: uses, valid_ms: hours * HOUR_MS, lan });
      }}
    >
      <NumberInput label="Machines" min={1} max={1000} value={uses} onChange={(value) => setUses(Number(value))} />
      <NumberInput label="Hours" min={1} max={8760} value={hours} onChange={(value) => setHours(Number(value))} />
      <Switch
        label="Also let in machines on this network without a token"
        checked={lan}
        onChange={(event) => setLan(event.currentTarget.checked)}
      />
      <ActButton needs="owner" type="submit" loading={make.isPending} disabled={uses < 1 || hours < 1}>
        Make an invite
      </ActButton>
    </Stack>
  );
}

function Token({ invite }: { invite: InviteView }) {
  const command = `opensky up --join ${invite.token}`;
  return (
    <Stack gap="xs">
      <Text size="sm">
        Whoever has this can join, until {moment(invite.expires_at)}. Run it on the other machine:
      </Text>
      <pre className="text-block" tabIndex={0} aria-label="Command to join">
        {command}
      </pre>
      <Group gap="xs">
        <Copy text={command} what="command" />
        <Text size="sm">Copy the command</Text>
        <Copy text={invite.token} what="token" />
        <Text size="sm">Copy the token</Text>
      </Group>
    </Stack>
  );
}
