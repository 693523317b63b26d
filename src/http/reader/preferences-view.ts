import { maskAddress } from '../../subscriber/address.ts'
import { pauseLengths, pauseRange } from '../../subscriber/pause.ts'
import { followable, type Preferences } from '../../subscriber/preferences.ts'
import { mayReturn } from '../../subscriber/resubscribe.ts'
import { signToken } from '../../subscriber/token.ts'
import { categoryPath } from '../../verdict/category.ts'
import { dayOf, type Holder } from './personal-link.ts'
import type { PreferencesDeps } from './preferences.ts'

const notices = ['choices', 'paused', 'resumed', 'address'] as const

/** What was just done, as the redirect after it names it. */
export type Notice = (typeof notices)[number]

/** What was wrong with a form, and what had been entered. */
export type Fault = {
  readonly at: 'choices' | 'pause' | 'address'
  readonly problem: string
  readonly given?: string
  readonly choices?: Preferences
}

/** A notice from the query; undefined for anything that is none. */
export function readNotice(text: string | undefined): Notice | undefined {
  return notices.find((notice) => notice === text)
}

/** Everything the preferences page says about one reader. A notice shows only while it is true. */
export async function preferencesView(
  deps: PreferencesDeps,
  holder: Holder,
  token: string,
  { notice, fault }: { notice?: Notice | undefined; fault?: Fault },
) {
  const [key] = deps.keys
  if (!key) throw new Error('There is no signing key')
  const { zone } = deps.calendar
  const range = pauseRange(deps.clock(), zone)
  return {
    token,
    unsubscribeToken: signToken(key, 'unsubscribe', holder.public_id),
    who: maskAddress(holder.address ?? ''),
    isTest: holder.isTest,
    isOnList: holder.status === 'confirmed' || holder.status === 'paused',
    isPaused: holder.status === 'paused',
    canReturn: await mayReturn(deps.db, deps, holder),
    standing: standing(holder, zone),
    notice: noticeTo(holder, notice, zone),
    fault: faultIn(fault),
    given: fault?.given ?? '',
    cadences: cadences(fault?.choices?.cadence ?? holder.cadence),
    follows: await follows(deps, holder, fault?.choices),
    lengths: pauseLengths.map((value) => ({ value, label: lengthNames[value], checked: value === 'P1M' })),
    earliest: range.earliest.toString(),
    latest: range.latest.toString(),
  }
}

/** What was just done, for its reader; empty where it is not true. */
export function noticeTo(holder: Holder, notice: Notice | undefined, zone: string): string {
  if (!notice) return ''
  return holder.isTest ? noticeOfTest[notice] : noticeFor(notice, holder, zone)
}

/** Where a reader stands, to be read after their address. */
export function standing({ status, paused_until, cadence, unsubscribed_at }: Holder, zone: string): string {
  switch (status) {
    case 'confirmed':
      return standingOf[cadence]
    case 'paused':
      return paused_until ? `is paused until ${dayOf(paused_until, zone)}.` : 'is paused.'
    case 'unsubscribed':
      return unsubscribed_at ? `left the list on ${dayOf(unsubscribed_at, zone)}.` : 'left the list.'
    case 'pending':
      return 'has not been confirmed, so nothing is sent to it.'
    case 'erased':
      return 'was erased.'
  }
}

const standingOf = {
  weekly: 'gets every issue.',
  monthly: 'gets one mail a month.',
  followed: 'gets the issues with something you follow.',
} as const

function noticeFor(notice: Notice, { status, paused_until }: Holder, zone: string): string {
  switch (notice) {
    case 'choices':
      return 'Saved. The next issue follows what is chosen below.'
    case 'paused':
      return paused_until ? `Paused. Nothing is sent until ${dayOf(paused_until, zone)}.` : ''
    case 'resumed':
      return status === 'confirmed' ? 'The pause is over. The next issue comes to you.' : ''
    case 'address':
      return 'A letter is on its way to the new address. Nothing changes until the button behind its link is pressed.'
  }
}

const noticeOfTest: Readonly<Record<Notice, string>> = {
  choices: 'A reader’s choices would be saved now. Nothing was stored.',
  paused: 'A reader would be paused now. Nothing was stored.',
  resumed: 'A reader’s pause would be over now. Nothing was stored.',
  address: 'A letter would be on its way to the new address now. None was written.',
}

function faultIn(fault: Fault | undefined) {
  const problem = (at: Fault['at']) => (fault?.at === at ? fault.problem : '')
  return { choices: problem('choices'), pause: problem('pause'), address: problem('address') }
}

/** How often mail may come, and what following changes at each. */
export function cadences(chosen: Holder['cadence']) {
  return [
    {
      value: 'weekly',
      label: 'Every week',
      hint: 'All of the week’s verdicts, in one issue. What you follow changes nothing in it.',
    },
    {
      value: 'monthly',
      label: 'Once a month',
      hint: 'The month’s verdicts, rolled into one mail, whatever you follow.',
    },
    {
      value: 'followed',
      label: 'Only what I follow',
      hint: 'Mail only in weeks with something of yours in the issue, and only that part of it.',
    },
  ].map((cadence) => ({ ...cadence, checked: cadence.value === chosen }))
}

/** What is followed, with its page; and what could be. A form that was refused keeps what had been ticked in it. */
async function follows({ db, clock }: PreferencesDeps, holder: Holder, entered: Preferences | undefined) {
  const offered = await followable(db, holder.id, clock())
  const tools = offered.tools.map((tool) => ({
    ...{ ...tool, kind: 'tool', value: tool.slug, url: tool.isPublic ? `/tools/${tool.slug}` : '' },
    checked: entered ? entered.tools.includes(tool.slug) : tool.followed,
  }))
  const categories = offered.categories.map((category) => ({
    ...{ ...category, kind: 'category', value: category.name },
    url: category.isPublic ? categoryPath(category.name) : '',
    checked: entered ? entered.categories.includes(category.name) : category.followed,
  }))
  const inStack = (one: { followed: boolean; checked: boolean }) => one.followed && one.checked
  return {
    stack: [...tools.filter(inStack), ...categories.filter(inStack)],
    categories: categories.filter((one) => !inStack(one)),
    tools: tools.filter((one) => !inStack(one)),
  }
}

const lengthNames = {
  P2W: '2 weeks',
  P1M: '1 month',
  P3M: '3 months',
  P6M: '6 months',
  P12M: '1 year',
} as const
