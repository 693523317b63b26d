import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import { mailbox } from '../../mail/message.ts'
import type { FollowWish, KnownWish } from '../../subscriber/follow-wish.ts'
import type { Signal } from '../../subscriber/sign-up.ts'
import type { SigningKey } from '../../subscriber/token.ts'
import { wording } from '../../subscriber/wording.ts'
import type { Challenge } from '../challenge.ts'
import { ageOfForm, stampForm } from '../form-stamp.ts'

type Deps = {
  readonly clock: Clock
  readonly keys: readonly SigningKey[]
  readonly challenge: Pick<Challenge, 'kind'>
  readonly wire: { readonly from: string; readonly replyTo: string | undefined }
}

/** What a refused form is shown again with. */
export type Refill = {
  readonly address: string
  readonly problem: string
  readonly suggestion?: string
  readonly wish?: KnownWish | undefined
}

/** Whether a page of ours has the form on it, by the path that a form says it was on. */
export function isFormPage(path: string | undefined): path is FormPage {
  return path === '/' || /^\/(?:compare|tools|categories)\/[\p{L}\p{N}%-]{1,400}$/u.test(path ?? '')
}

/** Our pages that have the form on them. */
export type FormPage = '/' | '/subscribe' | '/embed' | `/${'compare' | 'tools' | 'categories'}/${string}`

/** What the partial `sign-up-form` reads. Made for each showing, because it holds the time. With a wish it follows something. */
export function signUpForm(
  { clock, keys, challenge, wire }: Deps,
  page: FormPage,
  refill?: Refill,
  wish: KnownWish | undefined = refill?.wish,
) {
  const [key] = keys
  if (!key) throw new Error('There is no signing key')
  return {
    ...{ page, action: page === '/embed' ? '/embed' : '/subscribe', stamp: stampForm(key, clock()) },
    ...{
      address: refill?.address ?? '',
      problem: refill?.problem ?? '',
      suggestion: refill?.suggestion ?? '',
    },
    asTyped: refill?.suggestion ? refill.address : '',
    ...{ wording: wording.text, wordingVersion: wording.version },
    follow: wish ? followFields(wish) : '',
    ...{ hasChallenge: challenge.kind !== 'none', answerTo: mailbox(wire.replyTo ?? wire.from).address },
  }
}

function followFields({ tool, category, name, cadence }: KnownWish) {
  return {
    ...{ tool: tool ?? '', category: category ?? '', name },
    ...{ isWeekly: cadence === 'weekly', isSeldom: cadence === 'followed' },
  }
}

const text = z.string().max(4_000)

/** What comes in, from our form, a copied one, or a program. Everything but the address may be missing. */
const posted = z.object({
  address: text,
  'as-typed': text.optional(),
  asTyped: z.boolean().optional(),
  correct: text.optional(),
  website: text.optional(),
  stamp: text.optional(),
  page: text.optional(),
  wording: text.optional(),
  via: text.optional(),
  altcha: text.optional(),
  'follow-tool': text.optional(),
  'follow-category': text.optional(),
  follow: z.unknown().optional(),
  cadence: z.unknown().optional(),
})

export type Posted = z.infer<typeof posted>

/** The fields of a form or a JSON document; undefined when there is no address field in it. */
export function parsePosted(given: unknown): Posted | undefined {
  const parsed = posted.safeParse(given)
  return parsed.success ? parsed.data : undefined
}

const cadence = z.enum(['weekly', 'followed']).default('weekly')
const followed = z.union([
  z.strictObject({
    tool: z
      .string()
      .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
      .max(120),
    cadence,
  }),
  z.strictObject({ category: z.string().min(1).max(120), cadence }),
])

/** What a form or a document asks to follow: nothing, a wish, or something that is neither. */
export function wishOf(posted: Posted): FollowWish | 'nothing' | 'unreadable' {
  const { 'follow-tool': tool, 'follow-category': category, follow, cadence } = posted
  const asked = tool ? { tool } : category ? { category } : follow
  if (asked === undefined) return 'nothing'
  if (typeof asked !== 'object' || asked === null) return 'unreadable'
  return followed.safeParse({ ...asked, ...(cadence !== undefined && { cadence }) }).data ?? 'unreadable'
}

/** Faster than anybody types, or lets a password manager type. */
const hasty = 2

/** What in a form hints that nobody real filled it in. */
export function signalsOf({ clock, keys }: Pick<Deps, 'clock' | 'keys'>, form: Posted): readonly Signal[] {
  const age = ageOfForm(keys, form.stamp, clock())
  const signals: Signal[] = form.website ? ['trap filled'] : []
  if (age === undefined) signals.push('no stamp')
  else if (age < hasty) signals.push('too fast')
  return signals
}
