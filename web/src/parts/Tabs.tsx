import { Tabs } from "@mantine/core";
import type { ReactNode } from "react";
import { Panel } from "./Page";

interface Tab {
  /** Its name in the address. */
  name: string;
  title: string;
  shown: ReactNode;
}

interface TabbedPanelProps {
  /** The first is shown if the address names none. */
  tabs: Tab[];
  tab: string | undefined;
  onTab: (tab: string | undefined) => void;
}

/** Parts of a page of which one is shown; the address says which. */
export function TabbedPanel({ tabs, tab, onTab }: TabbedPanelProps) {
  return (
    <Panel>
      <Tabs value={tab ?? tabs[0]?.name} keepMounted={false} onChange={(value) => onTab(value ?? undefined)}>
        <Tabs.List mb="sm">
          {tabs.map(({ name, title }) => (
            <Tabs.Tab key={name} value={name}>
              {title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(({ name, shown }) => (
          <Tabs.Panel key={name} value={name}>
            {shown}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Panel>
  );
}
