import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` speaks to the node of OPENSKY_API; log in there by the link of `opensky dashboard`, with
// this server's address in place of the node's.
const api = process.env.OPENSKY_API ?? "127.0.0.1:4720";

export default defineConfig({
  plugins: [react()],
  html: { cspNonce: "__CSP_NONCE__" },
  build: { target: "es2023", emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    // The test program is one of the examples.
    fs: { allow: [".."] },
    proxy: {
      "/v1": { target: `http://${api}`, changeOrigin: true, headers: { origin: `http://${api}` } },
    },
  },
});
