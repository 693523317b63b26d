import type { RawBuilder } from 'kysely'
import { z } from 'zod'
import type { FlagRule } from '../../db/schema.ts'

/** A burst or a ring as a look found it. `votes` selects `subscriber_id` and `tool_id` of those that it is made of. */
export type Found = {
  readonly rule: FlagRule
  /** What makes it the same burst next time; null for a ring, which is known by its readers. */
  readonly key: string | null
  readonly votes: RawBuilder<unknown>
  readonly figures: Figures
}

const figures = z.object({
  /** How likely it is by chance. */
  chance: z.number().optional(),
  /** Votes that would have come (`pace`), or how many of 100 elsewhere are like these. */
  usual: z.number().optional(),
  /** Of a network: all one way, or all new. */
  by: z.enum(['direction', 'newcomers']).optional(),
  /** Readers whose ballot differs from theirs by one vote. */
  near: z.number().optional(),
})
export type Figures = z.infer<typeof figures>

/** What speaks for a flag: counts, instants, networks cut to their beginning; never an address, and nobody's name. */
export const evidence = z.object({
  figures,
  readers: z.number(),
  votes: z.number(),
  newcomers: z.number(),
  /** How many of the readers have left the list since; their votes count all the same. */
  left: z.number(),
  /** When the first and the last of the votes were cast or changed. */
  from: z.string(),
  to: z.string(),
  networks: z.array(z.object({ network: z.string(), votes: z.number() })),
  allNetworks: z.number(),
  tools: z.array(z.object({ toolId: z.number(), ship: z.number(), skip: z.number() })),
  /** When the readers signed up, and by which form, where all of them did by one. */
  signedUp: z.object({ from: z.string(), to: z.string(), form: z.string().nullable() }).nullable(),
})
export type Evidence = z.infer<typeof evidence>
