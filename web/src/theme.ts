import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const sky: MantineColorsTuple = [
  "#e8f4fd",
  "#d3e6f6",
  "#a5cbea",
  "#73aede",
  "#4b96d4",
  "#3187ce",
  "#1f7ecb",
  "#0f6cb5",
  "#0060a2",
  "#00528f",
];

export const theme = createTheme({
  primaryColor: "sky",
  primaryShade: { light: 8, dark: 7 },
  colors: { sky },
  defaultRadius: "md",
  autoContrast: true,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
});

// Mantine's own dimmed, red, green and yellow texts are too faint for WCAG AA.
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#5c6670",
    "--mantine-color-error": "#c92a2a",
    "--mantine-color-red-text": "#c92a2a",
    "--mantine-color-green-light-color": "#1c6b2e",
    "--mantine-color-yellow-light-color": "#7a4a00",
    "--mantine-color-body": "#f6f8fa",
    "--surface": "#ffffff",
  },
  dark: {
    "--mantine-color-dimmed": "#a6b0ba",
    "--mantine-color-error": "#ff8787",
    "--mantine-color-red-text": "#ff8787",
    "--mantine-color-body": "#14181d",
    "--surface": "#1c2128",
  },
});
