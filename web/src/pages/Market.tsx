// What the nodes of the sky offer, and for how much.

import { Group, Select, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import * as queries from "../api/queries";
import type { OfferView } from "../api/types";
import { credits, parseCredits } from "../lib/amount";
import { bytes, clean, count, duration } from "../lib/format";
import { choices, fits, inOrder, type MarketSearch, totals } from "../lib/market";
import { Chart } from "../parts/Chart";
import { type Column, DataTable } from "../parts/DataTable";
import { Id } from "../parts/Id";
import { Facts, Figure, Page, Panel } from "../parts/Page";
import { Empty, Shown } from "../parts/Standing";

const route = getRouteApi("/market");

export function MarketPage() {
  const offers = useQuery(queries.offers);
  const status = useQuery(queries.status);
  const isFree = status.data?.sky.economy_free;
  return (
    <Page title="Market">
      <Shown read={offers} what="offers">
        {(data) => (
          <>
            <Head offers={data.offers} isFree={isFree} />
            <Offers offers={data.offers} isFree={isFree} />
          </>
        )}
      </Shown>
      {isFree === false && <Prices />}
    </Page>
  );
}

interface Props {
  offers: OfferView[];
  isFree?: boolean;
}

function Head({ offers, isFree }: Props) {
  const { slots_free, slots_total, price_min, price_median } = totals(offers);
  const price = (value: number | undefined) => (isFree ? "free" : value === undefined ? "none" : credits(value));
  return (
    <Panel>
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        <Figure name="Offers" value={count(offers.length)} note="live, this node’s among them" />
        <Figure name="Tasks they take now" value={count(slots_free)} note={`of ${count(slots_total)} at a time`} />
        <Figure name="Lowest price" value={price(price_min)} note={isFree ? "work in this sky" : "credits for a billion fuel"} />
        <Figure name="Median price" value={price(price_median)} note={isFree ? "work in this sky" : "half ask no more"} />
      </SimpleGrid>
    </Panel>
  );
}

const COLUMNS: Column<OfferView>[] = [
  { title: "Node", cell: (offer) => <Id id={offer.node} what="node id" /> },
  { title: "Price", isNumber: true, cell: (offer) => credits(offer.price_per_gfuel) },
  {
    title: "Slots free",
    isNumber: true,
    cell: (offer) => (offer.note ? clean(offer.note) : `${offer.slots_free} of ${offer.slots_total}`),
  },
  { title: "Region", cell: (offer) => offer.region, isExtra: true },
  { title: "Levels", cell: (offer) => offer.levels.join(", "), isExtra: true },
  { title: "Kinds", cell: (offer) => offer.kinds.join(", "), isExtra: true },
  { title: "Cores", isNumber: true, cell: (offer) => offer.hardware.cpu_cores, isExtra: true },
  { title: "Score", isNumber: true, cell: (offer) => count(offer.hardware.score_per_core), isExtra: true },
  { title: "Memory", isNumber: true, cell: (offer) => bytes(offer.hardware.memory_bytes), isExtra: true },
  { title: "Processor", cell: (offer) => clean(offer.hardware.cpu_model), isExtra: true },
];

function Offers({ offers, isFree }: Props) {
  const search = route.useSearch();
  const shown = useMemo(() => offers.filter((offer) => fits(offer, search)).sort(inOrder), [offers, search]);
  const columns = isFree ? COLUMNS.filter(({ title }) => title !== "Price") : COLUMNS;
  return (
    <Panel title="Offers">
      <Stack gap="sm">
        <Filters offers={offers} isFree={isFree} />
        <Text size="sm" c="dimmed" role="status">
          {shown.length} of {offers.length} offers
        </Text>
        {shown.length === 0 ? (
          <Empty title={offers.length === 0 ? "No offers yet" : "No offer fits"} />
        ) : (
          <DataTable label="Offers" rows={shown} columns={columns} rowKey={(offer) => offer.node} />
        )}
      </Stack>
    </Panel>
  );
}

function Filters({ offers, isFree }: Props) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filter = (change: MarketSearch) => void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  const isPrice = search.most === undefined || parseCredits(search.most) !== undefined;
  const select = (name: "region" | "level" | "kind", any: string, data: string[]) => (
    <Select
      aria-label={any.replace("Any ", "Only this ")}
      placeholder={any}
      clearable
      clearButtonProps={{ "aria-label": any }}
      w={165}
      data={data}
      value={search[name] ?? null}
      onChange={(value) => filter({ [name]: value ?? undefined })}
    />
  );
  return (
    <Group align="flex-start">
      <TextInput
        aria-label="Find offers"
        placeholder="Node, processor, kind"
        w={200}
        defaultValue={search.find}
        onChange={(event) => filter({ find: event.currentTarget.value || undefined })}
      />
      {select("region", "Any region", choices(offers, (offer) => [offer.region]))}
      {select("level", "Any level", choices(offers, (offer) => offer.levels))}
      {select("kind", "Any kind", choices(offers, (offer) => offer.kinds))}
      {!isFree && (
        <TextInput
          aria-label="Highest price, credits"
          placeholder="Highest price"
          inputMode="decimal"
          w={140}
          defaultValue={search.most}
          error={!isPrice && "such as 0.0001"}
          onChange={(event) => filter({ most: event.currentTarget.value || undefined })}
        />
      )}
    </Group>
  );
}

function Prices() {
  return (
    <Panel title="Median price over time">
      <Shown read={useQuery(queries.prices)} what="prices">
        {({ samples }) => {
          const [first, last] = [samples[0], samples.at(-1)];
          if (!first || !last) return <Empty title="No price was seen yet">The node looks once a minute.</Empty>;
          const points = samples.map(({ at, price_median }) => ({ at, value: price_median }));
          const lowest = Math.min(...samples.map(({ price_min }) => price_min));
          const highest = Math.max(...samples.map(({ price_max }) => price_max));
          return (
            <Stack gap="sm">
              <Chart kind="steps" label="Median price" points={points} inWords={credits} />
              <Facts
                rows={[
                  ["Seen by this node for", duration(last.at - first.at)],
                  ["Lowest and highest of all offers", `${credits(lowest)} and ${credits(highest)} credits`],
                ]}
              />
              <Text size="sm" c="dimmed">
                Once a minute since this node started, a day at most. No other node is asked.
              </Text>
            </Stack>
          );
        }}
      </Shown>
    </Panel>
  );
}
