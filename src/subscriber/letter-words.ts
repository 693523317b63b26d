import type { LetterKind, WishedCadence } from '../../db/schema.ts'

/** What a letter says, and where its one button leads. */
export type LetterWords = {
  readonly subject: string
  readonly preheader: string
  readonly heading: string
  readonly paragraphs: readonly string[]
  /** A list under the paragraphs: what is in the latest issue. */
  readonly items: readonly LetterItem[]
  readonly button: { readonly label: string; readonly url: string } | undefined
  /** Said quietly, below the button. */
  readonly afterwards: readonly string[]
  /** Why this mail came, at its foot. */
  readonly why: string
}

export type LetterItem = { readonly title: string; readonly line: string }

/** What the words of one letter depend on. Nothing in it was typed by the person who signed the address up. */
export type LetterFacts = {
  /** Where the proof of this letter is shown. */
  readonly proofUrl: string
  readonly latestIssue:
    | { readonly subject: string; readonly url: string; readonly verdicts: readonly LetterItem[] }
    | undefined
  /** `Fridays at 09:00 New York time` */
  readonly rhythm: string
  readonly answerTo: string
  /** What the letter's link follows, by the name that our own tables have for it. */
  readonly wish: { readonly name: string; readonly cadence: WishedCadence } | undefined
}

const what = 'two AI tools side by side, what the panel ships and what it skips'

/** The words of each kind of letter. */
export function wordsFor(kind: LetterKind, facts: LetterFacts): LetterWords {
  switch (kind) {
    case 'confirm':
      return confirm(facts)
    case 'welcome':
      return welcome(facts)
    case 'confirm new address':
      return confirmNewAddress(facts)
    case 'address changed':
      return addressChanged(facts)
    case 'resumed':
      return resumed(facts)
    case 'follow':
      return follow(facts)
  }
}

function confirm({ proofUrl, wish }: LetterFacts): LetterWords {
  return {
    subject: 'Confirm your address for Weekly AI Tool Verdicts',
    preheader: 'One press, and you are on the list. Without it, nothing is sent.',
    heading: 'Confirm your address',
    paragraphs: [
      `This address was entered for Weekly AI Tool Verdicts: ${what}, once a week. If that was you, confirm it and you are on the list.`,
      ...(wish ? [`${withIt[wish.cadence](wish.name)} You can change that at any time.`] : []),
    ],
    items: [],
    button: { label: 'Confirm my address', url: proofUrl },
    afterwards: [
      'The link opens a page with one button. It works for 72 hours.',
      'If it was not you, do nothing. An address that nobody confirms gets no issue.',
    ],
    why: 'You get this mail because the address was entered in our sign-up form. You are on no list yet.',
  }
}

/** What a confirmation comes to besides, by how often mail was asked for. */
const withIt: Readonly<Record<WishedCadence, (name: string) => string>> = {
  weekly: (name) => `You then follow ${name}, and get every issue.`,
  followed: (name) => `You then follow ${name}, and get only the issues with ${name} in them.`,
}

function welcome({ latestIssue, rhythm, wish }: LetterFacts): LetterWords {
  const isSeldom = wish?.cadence === 'followed'
  return {
    subject: 'You are on the list: Weekly AI Tool Verdicts',
    preheader: isSeldom
      ? `Your address is confirmed. Mail comes when ${wish.name} is in an issue.`
      : `Your address is confirmed. One mail a week, on ${rhythm}.`,
    heading: 'You are on the list',
    paragraphs: [
      isSeldom
        ? `Your address is confirmed. You follow ${wish.name}, and get the issues with ${wish.name} in them, on ${rhythm}: ${what}. Any other week has no mail.`
        : `Your address is confirmed. You get one mail a week, on ${rhythm}: ${what}. A week without new comparisons has no mail.`,
      ...(wish && !isSeldom ? [`You follow ${wish.name}. What you follow is on your preferences page.`] : []),
      latestIssue
        ? `Until then, here is the latest issue: “${latestIssue.subject}”. In it:`
        : 'The first issue is on its way.',
    ],
    items: latestIssue?.verdicts ?? [],
    button: latestIssue && { label: 'Read the latest issue', url: latestIssue.url },
    afterwards: [],
    why: 'You get this mail because you have just confirmed your address for Weekly AI Tool Verdicts.',
  }
}

function confirmNewAddress({ proofUrl }: LetterFacts): LetterWords {
  return {
    subject: 'Confirm your new address for Weekly AI Tool Verdicts',
    preheader: 'One press, and the next issue comes here.',
    heading: 'Confirm your new address',
    paragraphs: [
      'A reader of Weekly AI Tool Verdicts wants it at this address from now on. If that was you, confirm it and the next issue comes here.',
    ],
    items: [],
    button: { label: 'Confirm my new address', url: proofUrl },
    afterwards: [
      'The link opens a page with one button. It works for 72 hours. Until then the issues go where they went before.',
      'If it was not you, do nothing. Nothing is sent to an address that nobody confirms.',
    ],
    why: 'You get this mail because the address was entered on a reader’s preferences page.',
  }
}

function addressChanged({ answerTo }: LetterFacts): LetterWords {
  return {
    subject: 'Your issues now go to another address',
    preheader: 'If you asked for that, there is nothing to do.',
    heading: 'Your issues now go to another address',
    paragraphs: [
      'Weekly AI Tool Verdicts was moved from this address to another one, which has been confirmed. This address gets no further issue.',
      `If that was not you, somebody else has one of your mails: your preferences can be changed by whoever holds one. Write to ${answerTo} from this address, and we move it back.`,
    ],
    items: [],
    button: undefined,
    afterwards: [],
    why: 'You get this mail because the change was made with a link that was sent to this address. It is the last one.',
  }
}

function resumed({ latestIssue, rhythm }: LetterFacts): LetterWords {
  return {
    subject: 'Your pause is over: Weekly AI Tool Verdicts',
    preheader: `You get issues again, on ${rhythm}.`,
    heading: 'Your pause is over',
    paragraphs: [
      `The pause you set has ended. You get issues again, on ${rhythm}.`,
      ...(latestIssue ? [`What you may have missed: “${latestIssue.subject}”.`] : []),
    ],
    items: [],
    button: latestIssue && { label: 'Read the latest issue', url: latestIssue.url },
    afterwards: [],
    why: 'You get this mail because you asked us to pause, and the pause ended today.',
  }
}

function follow({ proofUrl, wish }: LetterFacts): LetterWords {
  const name = wish?.name ?? ''
  return {
    subject: `Follow ${name}? One press on Weekly AI Tool Verdicts`,
    preheader: 'Nothing changes until you press the button behind the link.',
    heading: `Follow ${name}?`,
    paragraphs: [
      `This address was entered on our page about ${name}, to follow it. If that was you, open the link and press the button there.`,
      wish?.cadence === 'followed'
        ? 'From then on you get only the issues with something you follow in them.'
        : 'How often you get mail stays as it is.',
    ],
    items: [],
    button: { label: `Follow ${name}`, url: proofUrl },
    afterwards: [
      'The link opens a page with one button. It works for 72 hours.',
      'If it was not you, do nothing. Your subscription stays as it is.',
    ],
    why: 'You get this mail because your address is on our list and was entered on that page.',
  }
}
