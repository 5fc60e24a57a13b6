// An image made from nothing but busybox, as `docker save` would write it.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";

const BUSYBOX = "/bin/busybox";
const SOCKET = "/var/run/docker.sock";
const BLOCK = 512;
const ARCHITECTURES = { x64: "amd64", arm64: "arm64" };

/** Why no image can be run on this machine; nothing if one can. */
export async function whyNoImages() {
  if (!existsSync(BUSYBOX)) return `there is no ${BUSYBOX}`;
  return (await engine("GET", "/_ping")) === 200 ? undefined : `no container engine answers on ${SOCKET}`;
}

/** Takes what a node brought there out of the engine again. */
export function forget(hash) {
  return engine("DELETE", `/images/opensky/image:${hash}?force=true`);
}

/** The status of an answer, 0 if there is none. */
function engine(method, path) {
  return new Promise((resolve) => {
    const asked = http.request({ socketPath: SOCKET, method, path, timeout: 5_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(0));
    asked.end();
  });
}

/** The archive. Its entry point is busybox. */
export function busyboxImage() {
  const layer = tar([{ name: "bin/busybox", mode: 0o755, data: readFileSync(BUSYBOX) }]);
  const config = {
    architecture: ARCHITECTURES[process.arch],
    os: "linux",
    config: { Env: ["PATH=/bin"], Entrypoint: ["/bin/busybox"], Cmd: ["echo", "usual"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(layer).digest("hex")}`] },
  };
  const manifest = [{ Config: "config.json", RepoTags: ["busybox:latest"], Layers: ["0/layer.tar"] }];
  return tar([
    { name: "manifest.json", data: Buffer.from(JSON.stringify(manifest)) },
    { name: "config.json", data: Buffer.from(JSON.stringify(config)) },
    { name: "0/layer.tar", data: layer },
  ]);
}

function tar(files) {
  const parts = files.flatMap(({ name, mode = 0o644, data }) => [
    header(name, mode, data.length),
    data,
    Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(name, mode, size) {
  const block = Buffer.alloc(BLOCK);
  const octal = (value, length) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  block.write(name, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136);
  // The sum counts its own field as spaces.
  block.write(" ".repeat(8), 148);
  block.write("0", 156);
  block.write("ustar\u000000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
