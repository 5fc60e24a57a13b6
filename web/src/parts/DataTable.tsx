import { Table } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";

export interface Column<T> {
  title: string;
  cell: (row: T) => ReactNode;
  isNumber?: boolean;
  /** Left out on a phone. */
  isExtra?: boolean;
}

interface Props<T> {
  /** For screen readers. */
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
}

const ROW_HEIGHT = 42;
/** Rows above and below those in sight. */
const OVERSCAN = 12;

/** A table that draws the rows in sight only. */
export function DataTable<T>({ label, rows, columns, rowKey }: Props<T>) {
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    // Before the first layout, so that nothing jumps.
    initialRect: { width: 0, height: 800 },
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    // A region that scrolls has to be reached by keyboard
    <div className="table-scroll" ref={scroll} tabIndex={0} role="region" aria-label={label}>
      <Table stickyHeader verticalSpacing="xs" horizontalSpacing={8} aria-rowcount={rows.length}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.title} {...cellProps(column)}>
                {column.title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {above > 0 && <Spacer height={above} span={columns.length} />}
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <Table.Tr key={rowKey(row)} data-index={item.index} ref={virtual.measureElement}>
                {columns.map((column) => (
                  <Table.Td key={column.title} {...cellProps(column)}>
                    {column.cell(row)}
                  </Table.Td>
                ))}
              </Table.Tr>
            );
          })}
          {below > 0 && <Spacer height={below} span={columns.length} />}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function cellProps<T>({ isNumber, isExtra }: Column<T>) {
  return { ta: isNumber ? ("right" as const) : undefined, visibleFrom: isExtra ? ("sm" as const) : undefined };
}

function Spacer({ height, span }: { height: number; span: number }) {
  return (
    <tr aria-hidden>
      <td colSpan={span} style={{ height, padding: 0 }} />
    </tr>
  );
}
