// What whoever looks at the page may do. The node decides; the page only says so beforehand.

import { ActionIcon, type ActionIconProps, Button, type ButtonProps } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ComponentPropsWithoutRef } from "react";
import * as queries from "../api/queries";
import { may } from "../lib/roles";
import type { Role } from "../api/types";

/** Why something that needs a role cannot be done; nothing if it can, or while that is not known. */
export function useWhyNot(needs: Role): string | undefined {
  const { data } = useQuery(queries.session);
  if (!data || may(data.role, needs)) return undefined;
  return `needs the role ${needs}; you are ${data.role}`;
}

type NativeButton = Omit<ComponentPropsWithoutRef<"button">, "color" | "style">;

/** A button for those who may. Others see it, and why they cannot use it. */
export function ActButton({ needs, disabled, ...props }: ButtonProps & NativeButton & { needs: Role }) {
  const reason = useWhyNot(needs);
  return <Button {...props} disabled={disabled || reason !== undefined} title={reason ?? props.title} />;
}

/** The same with an icon only. */
export function ActIcon({ needs, disabled, ...props }: ActionIconProps & NativeButton & { needs: Role }) {
  const reason = useWhyNot(needs);
  return <ActionIcon {...props} disabled={disabled || reason !== undefined} title={reason ?? props.title} />;
}
