import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Menu,
  NavLink,
  ScrollArea,
  Text,
  Title,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconBriefcase,
  IconBuildingStore,
  IconCloud,
  IconDeviceDesktop,
  IconGauge,
  IconKey,
  IconLogout,
  IconMoon,
  IconPlanet,
  IconReceipt,
  IconServer2,
  IconSettings,
  IconSun,
  IconSunMoon,
  IconTimeline,
  IconWallet,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import * as queries from "../api/queries";
import { logout } from "../api/session";
import { clean } from "../lib/format";
import { MEANING } from "../lib/roles";
import { Word } from "./Badges";
import { useWhyNot } from "./may";

const PLACES = [
  { to: "/", label: "Overview", icon: IconGauge },
  { to: "/node", label: "Node", icon: IconDeviceDesktop },
  { to: "/sky", label: "Sky", icon: IconPlanet },
  { to: "/jobs", label: "Jobs", icon: IconBriefcase },
  { to: "/services", label: "Services", icon: IconServer2 },
  { to: "/market", label: "Market", icon: IconBuildingStore },
  { to: "/wallet", label: "Wallet", icon: IconWallet },
  { to: "/ledger", label: "Ledger", icon: IconTimeline },
  { to: "/receipts", label: "Receipts", icon: IconReceipt },
  { to: "/keys", label: "Keys", icon: IconKey },
  { to: "/settings", label: "Settings", icon: IconSettings },
] as const;

/** The frame of every page. */
export function Shell() {
  const [opened, { close, toggle }] = useDisclosure();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => close(), [path, close]);
  const isOwner = useWhyNot("owner") === undefined;
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 200, breakpoint: "sm", collapsed: { mobile: !opened } }}
      padding="md"
    >
      <a className="skip-link" href="#content">
        Skip to the page
      </a>
      <AppShell.Header className="card">
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
            <IconCloud aria-hidden />
            <Title order={2} size="h4">
              OpenSky
            </Title>
          </Group>
          <Group gap="sm" wrap="nowrap">
            <WhichNode />
            <WhichRole />
            <Scheme />
            <ActionIcon
              variant="default"
              size="lg"
              aria-label="Log out"
              onClick={() => void logout().finally(() => window.location.assign("/"))}
            >
              <IconLogout size={18} />
            </ActionIcon>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" className="card" aria-label="Pages">
        <ScrollArea>
          {PLACES.filter(({ to }) => isOwner || to !== "/keys").map(({ to, label, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              leftSection={<Icon size={18} aria-hidden />}
              active={to === "/" ? path === "/" : path.startsWith(to)}
              aria-current={path === to ? "page" : undefined}
            />
          ))}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function WhichNode() {
  const { data, error } = useQuery(queries.status);
  if (error) return <Word word="unreachable" />;
  return (
    <Text size="sm" c="dimmed" visibleFrom="xs" truncate>
      {data ? `${clean(data.name)} in ${clean(data.sky.name)}` : ""}
    </Text>
  );
}

/** What somebody who is no owner may do. */
function WhichRole() {
  const { data } = useQuery(queries.session);
  if (!data || data.role === "owner") return null;
  return (
    <Text size="sm" fw={600} title={MEANING[data.role]} aria-label={`You are ${data.role}: ${MEANING[data.role]}`}>
      {data.role}
    </Text>
  );
}

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const icons = { light: IconSun, dark: IconMoon, auto: IconSunMoon };
  const Icon = icons[colorScheme];
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label="Light or dark">
          <Icon size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconSun size={16} />} onClick={() => setColorScheme("light")}>
          Light
        </Menu.Item>
        <Menu.Item leftSection={<IconMoon size={16} />} onClick={() => setColorScheme("dark")}>
          Dark
        </Menu.Item>
        <Menu.Item leftSection={<IconSunMoon size={16} />} onClick={() => setColorScheme("auto")}>
          As the system
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
