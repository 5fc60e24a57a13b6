// Where a file is dropped or chosen.

import { Button, FileButton, Stack, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useState } from "react";
import { bytes } from "../lib/format";
import { type FileKind, kindOf } from "../lib/files";

export type Taken = Extract<FileKind, "program" | "image">;

const NAMES: Record<Taken, string> = { program: "a .wasm program", image: "an image archive (.tar)" };
const ENDINGS: Record<Taken, string> = { program: ".wasm", image: ".tar" };

interface Props {
  /** For screen readers. */
  label: string;
  takes: Taken[];
  file?: File;
  onFile: (file: File, kind: Taken) => void;
}

export function Drop({ label, takes, file, onFile }: Props) {
  const [isOver, setIsOver] = useState(false);
  const [error, setError] = useState<string>();
  const wanted = takes.map((kind) => NAMES[kind]).join(" or ");
  const take = async (given: File | null | undefined) => {
    if (!given) return;
    const kind = await kindOf(given).catch(() => undefined);
    const taken = takes.find((one) => one === kind);
    if (taken) onFile(given, taken);
    setError(taken ? undefined : refusal(given.name, kind, wanted));
  };
  return (
    <div
      className="drop"
      data-over={isOver}
      onDragOver={(event) => (event.preventDefault(), setIsOver(true))}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        void take(event.dataTransfer.files[0]);
      }}
    >
      <Stack align="center" gap="xs">
        <IconUpload aria-hidden />
        <Text fw={600} className="break">
          {file ? `${file.name}, ${bytes(file.size)}` : `Drop ${wanted} here`}
        </Text>
        <FileButton
          onChange={(given) => void take(given)}
          accept={takes.map((kind) => ENDINGS[kind]).join(",")}
          inputProps={{ "aria-label": label }}
        >
          {(props) => (
            <Button variant="default" size="xs" {...props}>
              {file ? "Choose another" : "Choose a file"}
            </Button>
          )}
        </FileButton>
        {error && (
          <Text c="red" size="sm" role="alert" className="break">
            {error}
          </Text>
        )}
      </Stack>
    </div>
  );
}

function refusal(name: string, kind: FileKind | undefined, wanted: string): string {
  if (kind === undefined) return `${name} cannot be read`;
  if (kind === "packed") return `${name} is packed; unpack it with gunzip first`;
  return `${name} is not ${wanted}`;
}
