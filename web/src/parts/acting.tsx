// Doing things: a mutation whose end is told in a corner of the page.

import { notifications } from "@mantine/notifications";
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError } from "../api/client";

const CLOSE = { "aria-label": "Close" };

interface Act<A, T> {
  does: (argument: A) => Promise<T>;
  /** What is said when it worked. */
  done?: (result: T) => string;
  /** What has to be read again. */
  changes?: QueryKey[];
  then?: (result: T) => void;
}

export function useAct<A = void, T = unknown>({ does, done, changes = [], then }: Act<A, T>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: does,
    // An answer may be a secret that is shown once: it is kept no longer than what shows it.
    gcTime: 0,
    onSuccess: async (result) => {
      if (done) notifications.show({ message: done(result), color: "green", closeButtonProps: CLOSE });
      then?.(result);
      await Promise.all(changes.map((queryKey) => client.invalidateQueries({ queryKey })));
    },
    onError: (error) => {
      const next = error instanceof ApiError ? error.next : undefined;
      notifications.show({ title: error.message, message: next ?? "", color: "red", autoClose: 10_000, closeButtonProps: CLOSE });
    },
  });
}
