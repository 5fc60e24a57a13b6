// The images that the node keeps by name.

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPackage, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ask, query, upload } from "../api/client";
import * as queries from "../api/queries";
import type { Images, ImageView, KeepImageRequest } from "../api/types";
import { imageNameOf, imageNameProblem } from "../lib/files";
import { bytes, clean, moment } from "../lib/format";
import { type Column, DataTable } from "./DataTable";
import { Drop } from "./Drop";
import { Id } from "./Id";
import { Panel } from "./Page";
import { Empty, Shown } from "./Standing";
import { useAct } from "./acting";
import { ActButton, ActIcon } from "./may";

const CLOSE = { "aria-label": "Close" };

export function ImagesPanel() {
  const [isKeeping, keeping] = useDisclosure();
  const [removed, setRemoved] = useState<ImageView>();
  const images = useQuery(queries.images);
  return (
    <Panel
      title="Images"
      actions={
        <ActButton needs="operator" size="xs" variant="default" leftSection={<IconPackage size={16} />} onClick={keeping.open}>
          Keep an image
        </ActButton>
      }
    >
      <Modal opened={isKeeping} onClose={keeping.close} title="Keep an image" closeButtonProps={CLOSE}>
        <KeepForm kept={images.data?.images ?? []} onKept={keeping.close} />
      </Modal>
      <Modal
        opened={removed !== undefined}
        onClose={() => setRemoved(undefined)}
        title="Remove this image?"
        closeButtonProps={CLOSE}
      >
        {removed && <Removal image={removed} onEnd={() => setRemoved(undefined)} />}
      </Modal>
      <Shown read={images} what="images">
        {(data) =>
          data.images.length === 0 ? (
            <Empty title="No images are kept">
              Keep one here, or run <span className="mono">opensky image push docker:NAME</span>. Jobs then name it
              without sending it again.
            </Empty>
          ) : (
            <DataTable label="Images" rows={data.images} columns={columns(setRemoved)} rowKey={(image) => image.name} />
          )
        }
      </Shown>
    </Panel>
  );
}

function columns(onRemove: (image: ImageView) => void): Column<ImageView>[] {
  return [
    { title: "Name", cell: (image) => <span className="break">{clean(image.name)}</span> },
    { title: "Size", isNumber: true, cell: (image) => bytes(image.size_bytes) },
    { title: "Kept since", cell: (image) => moment(image.kept_at), isExtra: true },
    { title: "Hash", cell: (image) => <Id id={image.hash} what="hash" />, isExtra: true },
    {
      title: "Remove",
      isNumber: true,
      cell: (image) => (
        <ActIcon
          needs="operator"
          variant="subtle"
          color="red"
          aria-label={`Remove ${clean(image.name)}`}
          onClick={() => onRemove(image)}
        >
          <IconTrash size={16} />
        </ActIcon>
      ),
    },
  ];
}

function KeepForm({ kept, onKept }: { kept: ImageView[]; onKept: () => void }) {
  const [file, setFile] = useState<File>();
  const [name, setName] = useState("");
  const problem = imageNameProblem(name);
  const isThere = kept.some((image) => image.name === name);
  const keep = useAct({
    does: async (archive: File) => {
      const { hash } = await upload(archive);
      const json: KeepImageRequest = { name, hash };
      return ask<Images>("/v1/images", { method: "POST", json });
    },
    done: () => `Kept as ${name}.`,
    changes: [queries.images.queryKey],
    then: onKept,
  });
  const take = (archive: File) => {
    setFile(archive);
    if (name === "") setName(imageNameOf(archive.name));
  };
  return (
    <Stack>
      <Drop label="Image archive" takes={["image"]} file={file} onFile={take} />
      <Text size="sm" c="dimmed">
        An archive is what <span className="mono">docker save NAME -o FILE.tar</span> writes.
      </Text>
      <TextInput
        label="Name"
        description={isThere ? "takes the place of the image that has this name" : "what jobs call it"}
        value={name}
        error={name !== "" && problem}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button
        disabled={file === undefined || problem !== undefined}
        loading={keep.isPending}
        onClick={() => file && keep.mutate(file)}
      >
        Keep
      </Button>
    </Stack>
  );
}

function Removal({ image, onEnd }: { image: ImageView; onEnd: () => void }) {
  const remove = useAct({
    does: () => ask<Images>(`/v1/images${query({ name: image.name })}`, { method: "DELETE" }),
    done: () => `Removed: ${clean(image.name)}.`,
    changes: [queries.images.queryKey],
    then: onEnd,
  });
  return (
    <Stack>
      <Text size="sm" className="break">
        {clean(image.name)}, {bytes(image.size_bytes)}. Jobs that use it go on; new ones need it sent again.
      </Text>
      <Group>
        <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
          Remove
        </Button>
        <Button variant="default" onClick={onEnd}>
          Keep it
        </Button>
      </Group>
    </Stack>
  );
}
