import { Alert, Button, Code, Divider, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { type BrowserWallet, loginWith, useWallets, wordsOf } from "../api/wallets";

interface Props {
  onLogin: (login: () => Promise<void>) => Promise<void>;
}

/** A button for each wallet of the browser; nothing where there is none. */
export function WalletLogin({ onLogin }: Props) {
  const wallets = useWallets();
  const [busy, setBusy] = useState<string>();
  const [failure, setFailure] = useState<{ what: string; next?: string | undefined }>();
  if (wallets.length === 0) return null;
  const logIn = async (wallet: BrowserWallet) => {
    setBusy(wallet.id);
    setFailure(undefined);
    try {
      await onLogin(() => loginWith(wallet));
    } catch (error) {
      setFailure(wordsOf(error));
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <Stack gap="xs">
      <Divider label="Or with a wallet that the owner named" labelPosition="center" />
      {wallets.map((wallet) => (
        <Button
          key={wallet.id}
          variant="default"
          loading={busy === wallet.id}
          disabled={busy !== undefined && busy !== wallet.id}
          onClick={() => void logIn(wallet)}
        >
          {wallet.name}
        </Button>
      ))}
      <Text size="sm" c="dimmed">
        It signs a message. That costs nothing and moves no money.
      </Text>
      {failure && (
        <Alert color="red" title={failure.what} role="alert">
          {failure.next && <Code className="id">{failure.next}</Code>}
        </Alert>
      )}
    </Stack>
  );
}
