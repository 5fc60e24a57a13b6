import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { isStep, type WelcomeSearch } from "./lib/setup";
import type { MarketSearch } from "./lib/market";
import { Shell } from "./parts/Shell";
import { ErrorPanel, Missing } from "./parts/Standing";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Missing what="page" />,
  errorComponent: ({ error, reset }) => <ErrorPanel error={error} onRetry={reset} />,
});

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

export interface SkySearch {
  tab?: string;
  /** Of the nodes: `graph` or `table`. */
  view?: string;
  node?: string;
}

export interface JobSearch {
  tab?: string;
  task?: string;
}

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/Overview"), "Overview"),
});
const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  validateSearch: (search): WelcomeSearch => ({ step: isStep(search.step) ? search.step : undefined }),
  component: lazyRouteComponent(() => import("./pages/Welcome"), "WelcomePage"),
});
const node = createRoute({
  getParentRoute: () => root,
  path: "/node",
  component: lazyRouteComponent(() => import("./pages/Node"), "NodePage"),
});
const sky = createRoute({
  getParentRoute: () => root,
  path: "/sky",
  validateSearch: (search): SkySearch => ({
    tab: text(search.tab),
    view: text(search.view),
    node: text(search.node),
  }),
  component: lazyRouteComponent(() => import("./pages/Sky"), "SkyPage"),
});
const jobs = createRoute({
  getParentRoute: () => root,
  path: "/jobs",
  component: lazyRouteComponent(() => import("./pages/Jobs"), "JobsPage"),
});
const submit = createRoute({
  getParentRoute: () => root,
  path: "/jobs/new",
  component: lazyRouteComponent(() => import("./pages/Submit"), "SubmitPage"),
});
const job = createRoute({
  getParentRoute: () => root,
  path: "/jobs/$job",
  validateSearch: (search): JobSearch => ({ tab: text(search.tab), task: text(search.task) }),
  component: lazyRouteComponent(() => import("./pages/Job"), "JobPage"),
});
const services = createRoute({
  getParentRoute: () => root,
  path: "/services",
  component: lazyRouteComponent(() => import("./pages/Services"), "ServicesPage"),
});
const service = createRoute({
  getParentRoute: () => root,
  path: "/services/$service",
  validateSearch: (search): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import("./pages/Service"), "ServicePage"),
});
const wallet = createRoute({
  getParentRoute: () => root,
  path: "/wallet",
  validateSearch: (search): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import("./pages/Wallet"), "WalletPage"),
});
const ledger = createRoute({
  getParentRoute: () => root,
  path: "/ledger",
  component: lazyRouteComponent(() => import("./pages/Ledger"), "LedgerPage"),
});
const receipts = createRoute({
  getParentRoute: () => root,
  path: "/receipts",
  validateSearch: (search): { id?: string } => ({ id: text(search.id) }),
  component: lazyRouteComponent(() => import("./pages/Receipts"), "ReceiptsPage"),
});
const keys = createRoute({
  getParentRoute: () => root,
  path: "/keys",
  validateSearch: (search): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import("./pages/Keys"), "KeysPage"),
});
const market = createRoute({
  getParentRoute: () => root,
  path: "/market",
  validateSearch: (search): MarketSearch => ({
    region: text(search.region),
    level: text(search.level),
    kind: text(search.kind),
    find: text(search.find),
    most: text(search.most),
  }),
  component: lazyRouteComponent(() => import("./pages/Market"), "MarketPage"),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  validateSearch: (search): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import("./pages/Settings"), "SettingsPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    welcome,
    node,
    sky,
    jobs,
    submit,
    job,
    services,
    service,
    wallet,
    ledger,
    receipts,
    keys,
    market,
    settings,
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
