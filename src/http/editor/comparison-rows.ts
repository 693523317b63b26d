import type { ComparisonFields, ToolFields } from './comparison-fields.ts'

/** A form with a row of a review more or less, and the id of the field to go on with. */
export type ChangedRows = { readonly fields: ComparisonFields; readonly focus: string }

/** What the buttons "Add a review" (`add.0`) and "Remove" (`remove.1.3`) make of a form; undefined for any other button. */
export function changedRows(fields: ComparisonFields, pressed: unknown): ChangedRows | undefined {
  const [, what, of, row] = /^(add|remove)\.([01])(?:\.(\d{1,2}))?$/.exec(String(pressed)) ?? []
  if (!what || !of) return undefined
  const side = of === '0' ? 0 : 1
  const tool = what === 'add' ? withRow(fields.tools[side]) : withoutRow(fields.tools[side], Number(row))
  const tools: ComparisonFields['tools'] = side === 0 ? [tool, fields.tools[1]] : [fields.tools[0], tool]
  const focus = what === 'add' ? `tools-${side}-reviews-${tool.reviews.length - 1}-reviewer` : `add-${side}`
  return { fields: { ...fields, tools }, focus }
}

function withRow(tool: ToolFields): ToolFields {
  return { ...tool, reviews: [...tool.reviews, { reviewer: '', verdict: '', quote: '' }] }
}

function withoutRow(tool: ToolFields, row: number): ToolFields {
  return { ...tool, reviews: tool.reviews.filter((_, at) => at !== row) }
}
