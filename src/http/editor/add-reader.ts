import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { type AddedReader, addReader } from '../../delivery/add-reader.ts'
import { parseAddress } from '../../subscriber/address.ts'
import { type DeskDeps, type DeskEnv, desk } from './desk.ts'
import { readFields } from './fields.ts'
import { redirectSaying } from './flash.ts'
import { deskPage } from './page.ts'

const given = z.object({
  address: z.string().max(400).catch(''),
  consent: z
    .string()
    .transform((words) => words.replaceAll('\0', '').trim())
    .catch(''),
})
type Given = z.infer<typeof given>

const longestConsent = 1000

/** `/desk/readers/add`: one reader who agreed elsewhere, with the editor's words for where and when. */
export function addReaderRoutes(deps: DeskDeps): Hono<DeskEnv> {
  return desk()
    .get('/desk/readers/add', (c) => form(c, deps, { address: '', consent: '' }, {}))
    .post('/desk/readers/add', async (c) => {
      const wish = given.parse(await readFields(c))
      const parsed = parseAddress(wish.address)
      const problems = {
        ...(!parsed.ok && { address: `That is no address: ${parsed.problem}.` }),
        ...(consentProblem(wish.consent) && { consent: consentProblem(wish.consent) }),
      }
      if (!parsed.ok || problems.consent) return form(c, deps, wish, problems)
      const consent = { address: parsed.address, consent: wish.consent }
      const { outcome, publicId } = await addReader(deps, consent, c.get('session').editor)
      const isThere = outcome === 'added' || outcome === 'already confirmed'
      if (!isThere) return form(c, deps, wish, { address: `${refusals[outcome]} Nothing was changed.` })
      return redirectSaying(c, `/desk/readers/${publicId}`, {
        kind: outcome === 'added' ? 'done' : 'problem',
        text:
          outcome === 'added'
            ? 'They are on the list.'
            : 'They were on the list already. Nothing was changed.',
      })
    })
}

function form(
  c: Context<DeskEnv>,
  deps: DeskDeps,
  { address, consent }: Given,
  problems: { readonly address?: string; readonly consent?: string },
): Promise<Response> {
  const isWrong = problems.address !== undefined || problems.consent !== undefined
  return deskPage(c, deps, 'desk-add-reader', {
    ...{ section: 'readers', title: 'Add a reader', status: isWrong ? 422 : 200 },
    data: { address, consent, faults: { address: '', consent: '', ...problems } },
  })
}

function consentProblem(consent: string): string {
  if (consent === '') return 'Say where and when they agreed: without that, nobody may be mailed.'
  if (consent.includes('\ufffd')) return 'It has a character that is no text.'
  return [...consent].length > longestConsent ? `That was longer than ${longestConsent} characters.` : ''
}

const refusals: Record<Exclude<AddedReader['outcome'], 'added' | 'already confirmed'>, string> = {
  'left before': 'They have left the list: only they can come back, by signing up again.',
  suppressed: 'This address is suppressed and is never mailed.',
  'erased before': 'Who had this address was erased: only they can come back, by signing up again.',
}
