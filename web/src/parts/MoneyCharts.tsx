// An account's money over time, from its history.

import { SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as queries from "../api/queries";
import type { Wallet } from "../api/types";
import { credits } from "../lib/amount";
import { balances, earnings, isEarning } from "../lib/money";
import { Chart } from "./Chart";
import { Figure } from "./Page";
import { Empty, Shown } from "./Standing";

/** Read again when there is something new. */
export function MoneyCharts({ wallet }: { wallet: Wallet }) {
  const newest = useInfiniteQuery(queries.history).data?.pages[0]?.lines[0]?.place;
  const read = useQuery(queries.longHistory(newest));
  const today = useQuery(queries.status).data?.now ?? wallet.head.at;
  const [days, setDays] = useState("30");
  const money = wallet.accounts.find((account) => account.is_own)?.money;
  return (
    <Shown read={read} what="the history">
      {({ lines, isCut }) => {
        if (lines.length === 0 || !money) return <Empty title="Nothing has happened yet" />;
        const available = money.free_micros + money.granted_micros;
        const now = Math.max(wallet.head.at, lines[0]?.at ?? 0);
        const bars = earnings(lines, today, Number(days));
        const earned = bars.reduce((sum, { value }) => sum + value, 0);
        const runs = lines.filter(isEarning).length;
        return (
          <Stack gap="xl">
            <section>
              <Text fw={600} mb="xs">
                What could be spent
              </Text>
              <Chart kind="steps" label="What could be spent" points={balances(available, now, lines)} inWords={credits} />
              <Text size="sm" c="dimmed">
                Counted back from today’s balance
                {isCut ? `, over the newest ${lines.length.toLocaleString("en")} entries of the history.` : "."}
              </Text>
            </section>
            <section>
              <SimpleGrid cols={{ base: 1, xs: 3 }} mb="xs">
                <Figure name={`Earned in ${days} days`} value={credits(earned)} note="credits, for work done" />
                <Figure name="Payments" value={runs} note={isCut ? "among these entries" : "in all"} />
                <SegmentedControl
                  aria-label="How many days"
                  value={days}
                  onChange={setDays}
                  data={["7", "30", "90"].map((value) => ({ value, label: `${value} days` }))}
                  h="fit-content"
                />
              </SimpleGrid>
              {earned > 0 ? (
                <Chart kind="bars" label="Earned a day" points={bars} inWords={credits} />
              ) : (
                <Text size="sm" c="dimmed">
                  No work was paid in these days. Nodes are paid once what they did for others is settled.
                </Text>
              )}
            </section>
          </Stack>
        );
      }}
    </Shown>
  );
}
