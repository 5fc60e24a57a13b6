import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
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
  region?: string;
  find?: string;
  level?: string;
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
    region: text(search.region),
    find: text(search.find),
    level: text(search.level),
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
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  validateSearch: (search): { tab?: string } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import("./pages/Settings"), "SettingsPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
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
