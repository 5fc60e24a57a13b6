import { Alert, Button, Center, Code, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { ApiError } from "../api/client";
import { codeOf, isKey, login, loginByKey, type Session } from "../api/session";
import { Copy } from "./Id";
import { WalletLogin } from "./WalletLogin";

interface Props {
  session: Session;
  onLogin: (login: () => Promise<void>) => Promise<void>;
  onRetry: () => void;
}

/** How to get in. */
export function Login({ session, onLogin, onRetry }: Props) {
  const isUnreachable = session.state === "unreachable";
  return (
    <Center mih="100vh" p="md" component="main">
      <Paper withBorder p="xl" maw={460} w="100%" className="card">
        <Stack>
          <Title order={1} size="h3">
            {isUnreachable ? "The node does not answer" : "Log in to your node"}
          </Title>
          {"error" in session && session.error && (
            <Alert color="red" title={session.error.detail}>
              {session.error.next ?? "Make a new link."}
            </Alert>
          )}
          {isUnreachable ? (
            <Button onClick={onRetry}>Try again</Button>
          ) : (
            <>
              <Text>
                On the machine of the node, run <Code className="id">opensky dashboard</Code>
                <Copy text="opensky dashboard" what="command" /> and open the link that it prints. It works once, within
                five minutes.
              </Text>
              <CodeForm onLogin={onLogin} />
              <WalletLogin onLogin={onLogin} />
            </>
          )}
        </Stack>
      </Paper>
    </Center>
  );
}

function CodeForm({ onLogin }: Pick<Props, "onLogin">) {
  const [text, setText] = useState("");
  const [error, setError] = useState<string>();
  const enter = async (event: FormEvent) => {
    event.preventDefault();
    const code = codeOf(text);
    if (!code && !isKey(text)) return setError("That is neither a link of `opensky dashboard` nor an API key.");
    try {
      await onLogin(() => (code ? login(code) : loginByKey(text)));
    } catch (failure) {
      setError(failure instanceof ApiError ? failure.detail : "The login failed.");
    }
  };
  return (
    <form onSubmit={(event) => void enter(event)}>
      <Stack gap="xs">
        <TextInput
          label="Or paste the link, or an API key, here"
          description="a key lets you do what its role may"
          value={text}
          error={error}
          autoComplete="off"
          onChange={(event) => (setText(event.currentTarget.value), setError(undefined))}
        />
        <Button type="submit" disabled={text === ""}>
          Log in
        </Button>
      </Stack>
    </form>
  );
}
