// The first run: a name, what is shared, which sky, and a test. Each step can be skipped, and all of it comes
// back from the settings.

import { Alert, Button, Group, Stack, Switch, Text, TextInput, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { ask } from "../api/client";
import * as queries from "../api/queries";
import type { ConfigView, Limits, LimitsView, NodeView, Status } from "../api/types";
import { clean, plural } from "../lib/format";
import { isInvite, joinCommands, keyLeads, markSetUp, type Step, STEPS, stepAfter, stepBefore, TITLES } from "../lib/setup";
import { Copy } from "../parts/Id";
import { InviteForm } from "../parts/Invite";
import { Amounts, useSaveLimits } from "../parts/Limits";
import { TextBlock } from "../parts/Output";
import { Page, Panel } from "../parts/Page";
import { Shown } from "../parts/Standing";
import { TestRun } from "../parts/TestRun";
import { useAct } from "../parts/acting";
import { ActButton, useWhyNot } from "../parts/may";

const route = getRouteApi("/welcome");

export function WelcomePage() {
  const { step = "name" } = route.useSearch();
  const navigate = useNavigate();
  const status = useQuery(queries.status);
  return (
    <Shown read={status} what="the node">
      {(data) => {
        const leave = () => {
          markSetUp(data.node);
          void navigate({ to: "/" });
        };
        const next = () => {
          const after = stepAfter(step);
          if (after) void navigate({ to: "/welcome", search: { step: after } });
          else leave();
        };
        const back = () => {
          const before = stepBefore(step);
          if (before) void navigate({ to: "/welcome", search: { step: before } });
        };
        return (
          <Page
            title="Set up this node"
            actions={
              <Button variant="subtle" onClick={leave}>
                Skip all of it
              </Button>
            }
          >
            <Panel>
              <Stack gap="lg">
                <Steps now={step} />
                <OneStep key={step} step={step} status={data} next={next} back={back} />
              </Stack>
            </Panel>
          </Page>
        );
      }}
    </Shown>
  );
}

function Steps({ now }: { now: Step }) {
  return (
    <nav aria-label="Steps">
      <ol className="steps">
        {STEPS.map((step, at) => (
          <li key={step} aria-current={step === now ? "step" : undefined}>
            <Link to="/welcome" search={{ step }} className="plain-link">
              <span className="step-number" aria-hidden>
                {at + 1}
              </span>
              {TITLES[step]}
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface StepProps {
  status: Status;
  next: () => void;
  back: () => void;
}

function OneStep({ step, ...props }: StepProps & { step: Step }) {
  const { status, next, back } = props;
  if (step === "name") return <Naming {...props} />;
  if (step === "share") return <Sharing next={next} back={back} />;
  if (step === "sky") return <Entering {...props} />;
  return (
    <Frame step="test" go={next} back={back}>
      <Text>A small program greets from whichever node takes it. It shows that all parts work.</Text>
      <TestRun isPaid={!status.sky.economy_free} />
      <Forward next={next} label="Finish" />
    </Frame>
  );
}

interface FrameProps {
  step: Step;
  /** Goes on, as the step's button does; nothing while that cannot be used. */
  go: (() => void) | undefined;
  back: () => void;
  children: ReactNode;
}

/** A step below its heading, which has the focus when the step opens. */
function Frame({ step, go, back, children }: FrameProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    // A key that is held would rush through all steps; one that ends a word of an input method is not for them.
    if (event.repeat || event.nativeEvent.isComposing || event.defaultPrevented) return;
    const at = event.target as HTMLElement;
    const leads = keyLeads(event.key, { tagName: at.tagName, role: at.getAttribute("role"), isInForm: at.closest("form") !== null });
    if (!leads) return;
    event.preventDefault();
    if (leads === "back") back();
    else go?.();
  };
  return (
    <Stack component="section" aria-labelledby="step" onKeyDown={onKeyDown}>
      <Title order={2} size="h4" w="fit-content" id="step" ref={heading} tabIndex={-1}>
        {TITLES[step]}
      </Title>
      {children}
    </Stack>
  );
}

function Forward({ next, label = "Next" }: { next: () => void; label?: string }) {
  return (
    <Group>
      <Button onClick={next}>{label}</Button>
    </Group>
  );
}

const NAME_CHARS_MAX = 64;

/** Who set the name, where that wins over what is kept here. */
function whySet(config: ConfigView | undefined): string | undefined {
  const name = config?.settings.find((setting) => setting.key === "name");
  const isFixed = name?.source === "flag" || name?.source === "environment";
  return isFixed ? `It was set by ${name.origin ?? name.source} when the node started; change it there.` : undefined;
}

function Naming({ status, next, back }: StepProps) {
  const [name, setName] = useState(status.name);
  const { data: config } = useQuery(queries.config);
  const fixed = whySet(config);
  const isLong = [...name.trim()].length > NAME_CHARS_MAX;
  const rename = useAct({
    does: () => ask<NodeView>("/v1/node", { method: "PUT", json: { name: name.trim() } }),
    changes: [queries.status.queryKey, queries.node.queryKey],
    then: next,
  });
  const isSame = name.trim() === status.name;
  const reason = useWhyNot("owner");
  const save = isLong || reason || rename.isPending ? undefined : () => rename.mutate();
  return (
    <Frame step="name" go={isSame || fixed ? next : save} back={back}>
      <TextInput
        maw={480}
        label="What do you call this machine?"
        description={fixed ?? "You see the name on this page and in your terminal. Others see only the node’s id."}
        value={name}
        disabled={fixed !== undefined}
        error={isLong && `at most ${NAME_CHARS_MAX} characters`}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Group>
        {isSame || fixed ? (
          <Button onClick={next}>Next</Button>
        ) : (
          <ActButton needs="owner" disabled={isLong} loading={rename.isPending} onClick={save}>
            Save and go on
          </ActButton>
        )}
      </Group>
    </Frame>
  );
}

type WaysProps = Pick<StepProps, "next" | "back">;

function Sharing(ways: WaysProps) {
  const node = useQuery(queries.node);
  const view = useQuery(queries.limits);
  return (
    <Shown read={node} what="the machine">
      {(machine) => (
        <Shown read={view} what="limits">
          {(data) => <SharingForm node={machine} view={data} {...ways} />}
        </Shown>
      )}
    </Shown>
  );
}

function SharingForm({ node, view, next, back }: WaysProps & { node: NodeView; view: LimitsView }) {
  const [limits, setLimits] = useState<Limits>(view.limits);
  const saving = useSaveLimits(next);
  const isSame = JSON.stringify(limits) === JSON.stringify(view.limits);
  const reason = useWhyNot("owner");
  const save = reason || saving.isPending ? undefined : () => saving.mutate(limits);
  return (
    <Frame step="share" go={isSame ? next : save} back={back}>
      <Text>
        Others’ programs run walled off from your files and network, and never use more than this. Prices, hours and
        temperatures are on the page <Link to="/node" className="link-in-text">Node</Link>.
      </Text>
      <Switch
        size="md"
        label="Share this machine"
        checked={limits.share}
        onChange={({ currentTarget: { checked } }) => setLimits((now) => ({ ...now, share: checked }))}
      />
      <Amounts limits={limits} set={(change) => setLimits((now) => ({ ...now, ...change }))} saved={view.limits} node={node} />
      <Group>
        {isSame ? (
          <Button onClick={next}>Next</Button>
        ) : (
          <ActButton needs="owner" loading={saving.isPending} onClick={save}>
            Save and go on
          </ActButton>
        )}
      </Group>
    </Frame>
  );
}

function Entering({ status, next, back }: StepProps) {
  const isFounder = status.sky.founder === status.node;
  const { peers } = status.network;
  return (
    <Frame step="sky" go={next} back={back}>
      <Text>
        This node {isFounder ? "founded" : "joined"} the sky <b>{clean(status.sky.name)}</b>.{" "}
        {peers === 0 ? "It is alone there now." : `${plural(peers, "other machine")} ${peers === 1 ? "is" : "are"} connected.`}{" "}
        {status.sky.economy_free ? "Work in it is free." : "Work in it has a price."}
      </Text>
      <section>
        <Text fw={600} mb="xs">
          Let another machine in
        </Text>
        <div className="narrow">
          <InviteForm />
        </div>
      </section>
      <Joining dataDir={status.data_dir} />
      <Forward next={next} />
    </Frame>
  );
}

/** A node belongs to one sky for good, so a running one cannot switch: the commands are shown instead. */
function Joining({ dataDir }: { dataDir: string }) {
  const [token, setToken] = useState("");
  const isReady = isInvite(token);
  return (
    <section>
      <Text fw={600} mb="xs">
        Or join somebody else’s sky
      </Text>
      {/* A form, so that Enter after an invite is not taken for the way on */}
      <Stack gap="xs" className="narrow" component="form" onSubmit={(event) => event.preventDefault()}>
        <TextInput
          label="Their invite"
          description="a token that begins with sky1"
          value={token}
          autoComplete="off"
          error={token !== "" && !isReady && "not a token of `opensky invite`"}
          onChange={(event) => setToken(event.currentTarget.value)}
        />
        {isReady && (
          <Alert variant="light" color="blue" title="Run this in a terminal of this machine">
            <Stack gap="xs">
              <Text size="sm">
                A node stays in the sky that it began in. This stops it and starts a new one, with a folder and a key of
                its own, in the other sky. The old folder is kept.
              </Text>
              <TextBlock text={joinCommands(dataDir, token)} label="Commands to join" />
              <Group gap="xs">
                <Copy text={joinCommands(dataDir, token)} what="commands" />
                <Text size="sm">Copy the commands</Text>
              </Group>
            </Stack>
          </Alert>
        )}
      </Stack>
    </section>
  );
}
