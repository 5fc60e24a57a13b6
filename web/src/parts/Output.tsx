// What programs wrote: strangers' bytes. Text is shown as text, and pictures only in formats without script.

import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { send } from "../api/client";
import type { ContentView } from "../api/types";
import { bytes, clean } from "../lib/format";
import { fromHex, pictureType, textOf } from "../lib/picture";
import { ErrorPanel, Loading } from "./Standing";

/** More than this is fetched only if asked for. */
const PREVIEW_BYTES_MAX = 4 * 1024 * 1024;
const TEXT_CHARS_MAX = 200_000;

async function contentBytes(content: ContentView): Promise<Uint8Array<ArrayBuffer>> {
  if (content.text !== undefined) return new TextEncoder().encode(content.text);
  if (content.hex !== undefined) return fromHex(content.hex);
  const answer = await send(`/v1/blobs/${content.hash}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** One output: a preview, and the bytes to download. */
export function Output({ name, content }: { name: string; content: ContentView }) {
  const isInline = content.text !== undefined || content.hex !== undefined;
  const [wanted, setWanted] = useState(isInline || content.size_bytes <= PREVIEW_BYTES_MAX);
  return (
    <Stack gap={6}>
      <Group gap="xs" justify="space-between">
        <Text size="sm" fw={600} className="break">
          {clean(name)}{" "}
          <Text span size="sm" c="dimmed">
            {bytes(content.size_bytes)}
          </Text>
        </Text>
        <Download name={name} content={content} />
      </Group>
      {content.size_bytes === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing was written.
        </Text>
      ) : wanted ? (
        <Preview content={content} name={name} />
      ) : (
        <Button variant="default" size="xs" onClick={() => setWanted(true)}>
          Show {bytes(content.size_bytes)}
        </Button>
      )}
    </Stack>
  );
}

function Preview({ content, name }: { content: ContentView; name: string }) {
  const read = useQuery({
    queryKey: ["content", content.hash],
    queryFn: () => contentBytes(content),
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
  if (read.error) return <ErrorPanel error={read.error} onRetry={() => void read.refetch()} />;
  if (!read.data) return <Loading what={name} />;
  const type = pictureType(read.data);
  if (type) return <Picture bytes={read.data} type={type} name={name} />;
  const text = textOf(read.data);
  if (text === undefined) return <Hex bytes={read.data} />;
  return <TextBlock text={text} label={name} />;
}

function Picture({ bytes: data, type, name }: { bytes: Uint8Array<ArrayBuffer>; type: string; name: string }) {
  const url = useObjectUrl(data, type);
  return url ? <img className="preview" src={url} alt={`Output ${clean(name)}`} /> : null;
}

function Hex({ bytes: data }: { bytes: Uint8Array }) {
  const start = [...data.subarray(0, 64)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return (
    <>
      <Text size="sm" c="dimmed">
        Neither text nor a picture. It begins with:
      </Text>
      <TextBlock text={start} label="first bytes" />
    </>
  );
}

/** Text as it is; the start of it if it is long. */
export function TextBlock({ text, label }: { text: string; label: string }) {
  const isLong = text.length > TEXT_CHARS_MAX;
  return (
    <>
      {/* What scrolls has to be reached by keyboard */}
      <pre className="text-block" tabIndex={0} aria-label={label}>
        {clean(isLong ? text.slice(0, TEXT_CHARS_MAX) : text)}
      </pre>
      {isLong && (
        <Text size="sm" c="dimmed">
          Only the start is shown; the download has all of it.
        </Text>
      )}
    </>
  );
}

function useObjectUrl(data: Uint8Array<ArrayBuffer> | undefined, type: string): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!data) return undefined;
    const made = URL.createObjectURL(new Blob([data], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data, type]);
  return url;
}

/** Saves under the last part of the name; the browser asks where. */
function Download({ name, content }: { name: string; content: ContentView }) {
  const save = async () => {
    const url = URL.createObjectURL(new Blob([await contentBytes(content)], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = clean(name).split("/").at(-1) || "output";
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <Anchor component="button" size="sm" onClick={() => void save()}>
      <IconDownload size={14} aria-hidden /> Download
    </Anchor>
  );
}
