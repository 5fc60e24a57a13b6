import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./styles.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { useSession } from "./api/session";
import { Login } from "./parts/Login";
import { Loading } from "./parts/Standing";
import { router } from "./router";
import { cssVariables, theme } from "./theme";

// The page's policy lets style elements in only with the nonce of this load.
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";
setNonce(nonce);

const client = new QueryClient({
  queryCache: new QueryCache(),
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status >= 400),
      staleTime: 1_000,
    },
  },
});

function App() {
  const [session, enter, again] = useSession();
  if (session.state === "checking") return <Loading what="the node" />;
  if (session.state === "open") return <RouterProvider router={router} />;
  // However somebody logs in: what the one before read is not theirs to see.
  return <Login session={session} onLogin={(login) => (client.clear(), enter(login))} onRetry={again} />;
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariables}
        defaultColorScheme="auto"
        getStyleNonce={() => nonce}
      >
        <Notifications position="bottom-right" />
        <QueryClientProvider client={client}>
          <App />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
