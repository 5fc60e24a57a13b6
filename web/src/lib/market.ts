// Offers as buyers look at them.

import type { OfferView } from "../api/types";
import { parseCredits } from "./amount";

export interface MarketSearch {
  region?: string;
  level?: string;
  kind?: string;
  find?: string;
  /** Highest price, in credits, as typed. */
  most?: string;
}

/** Whether an offer is one of those looked for. */
export function fits(offer: OfferView, { region, level, kind, find, most }: MarketSearch): boolean {
  if (region && offer.region !== region) return false;
  if (level && !offer.levels.some((one) => one === level)) return false;
  if (kind && !offer.kinds.some((one) => one === kind)) return false;
  const price = most === undefined ? undefined : parseCredits(most);
  if (price !== undefined && offer.price_per_gfuel > price) return false;
  const { cpu_model, cpu_arch, gpus } = offer.hardware;
  const words = [offer.node, offer.region, cpu_model, cpu_arch, ...gpus.map(({ model }) => model), ...offer.kinds, ...offer.levels];
  return words.join(" ").toLowerCase().includes((find ?? "").trim().toLowerCase());
}

/** The cheapest first; among equals the one with most free slots. Those that share nothing come last. */
export const inOrder = (one: OfferView, other: OfferView): number =>
  Number(one.slots_total === 0) - Number(other.slots_total === 0) ||
  one.price_per_gfuel - other.price_per_gfuel ||
  other.slots_free - one.slots_free ||
  (one.node < other.node ? -1 : 1);

export interface Totals {
  slots_free: number;
  slots_total: number;
  /** Of those that share something; absent without any. */
  price_min?: number;
  price_median?: number;
}

export function totals(offers: OfferView[]): Totals {
  const sum = (of: (offer: OfferView) => number) => offers.reduce((all, offer) => all + of(offer), 0);
  const sharing = offers.filter(({ slots_total }) => slots_total > 0);
  const prices = sharing.map(({ price_per_gfuel }) => price_per_gfuel).sort((a, b) => a - b);
  return {
    slots_free: sum(({ slots_free }) => slots_free),
    slots_total: sum(({ slots_total }) => slots_total),
    price_min: prices[0],
    price_median: prices[(prices.length - 1) >> 1],
  };
}

/** The values that offers have, for a choice among them. */
export const choices = (offers: OfferView[], of: (offer: OfferView) => string[]) => [...new Set(offers.flatMap(of))].sort();
