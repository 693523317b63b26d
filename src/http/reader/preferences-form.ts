import { z } from 'zod'
import { type PauseLength, pauseLengths } from '../../subscriber/pause.ts'
import type { Preferences } from '../../subscriber/preferences.ts'

const choices = z.object({
  cadence: z.enum(['weekly', 'monthly', 'followed']),
  categories: z.array(z.string().min(1).max(200)).max(500),
  tools: z.array(z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)).max(500),
})

const date = z.string().transform((text, context) => {
  try {
    return Temporal.PlainDate.from(text)
  } catch {
    context.addIssue('expected a date')
    return z.NEVER
  }
})

const pause = z.union([
  z.object({ for: z.enum(pauseLengths) }).transform((form) => form.for),
  z.object({ for: z.literal('date'), until: date }).transform((form) => form.until),
])

/** Rhythm and follows from a form, without what its button removes; undefined when it is not that form. */
export function choicesForm(body: string): Preferences | undefined {
  const form = new URLSearchParams(body)
  const without = (kind: 'category' | 'tool') =>
    form.getAll(kind).filter((value) => form.get('remove') !== `${kind}:${value}`)
  return choices.safeParse({
    cadence: form.get('cadence'),
    categories: without('category'),
    tools: without('tool'),
  }).data
}

/** A named length or a day; undefined for anything else. The range is `pauseEnd`'s to judge. */
export function pauseForm(body: string): PauseLength | Temporal.PlainDate | undefined {
  return pause.safeParse(Object.fromEntries(new URLSearchParams(body))).data
}

/** The new address as it was typed. */
export function addressForm(body: string): string {
  return (new URLSearchParams(body).get('address') ?? '').slice(0, 320)
}

/** Whether the box was ticked. */
export function eraseForm(body: string): boolean {
  return new URLSearchParams(body).get('sure') === 'yes'
}
