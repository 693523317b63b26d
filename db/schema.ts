import type { ColumnType, Generated, JSONColumnType } from 'kysely'

/** Every table and view, as kysely sees it. The constraints are in `db/migrations/`. */
export type Database = {
  tool: Tool
  comparison: Comparison
  comparison_text: ComparisonText
  comparison_tool: ComparisonTool
  review: Review
  comparison_revision: ComparisonRevision
  subscriber: Subscriber
  consent_event: ConsentEvent
  suppression: Suppression
  departure: Departure
  followed_category: FollowedCategory
  followed_tool: FollowedTool
  vote: Vote
  vote_tally: VoteTally
  vote_slice: VoteSlice
  vote_watch: VoteWatch
  vote_ballot: VoteBallot
  vote_flag: VoteFlag
  vote_flag_vote: VoteFlagVote
  sign_up: SignUp
  letter: Letter
  proof: Proof
  rate_limit: RateLimit
  newsletter: Newsletter
  issue: Issue
  issue_comparison: IssueComparison
  issue_vote: IssueVote
  issue_outcome: IssueOutcome
  issue_correction: IssueCorrection
  edition: Edition
  edition_tells: EditionTells
  edition_check: EditionCheck
  preflight_acknowledgement: PreflightAcknowledgement
  preflight_notice: PreflightNotice
  issue_edits: IssueEdits
  batch: Batch
  delivery: Delivery
  attempt: Attempt
  provider_event: ProviderEvent
  event_to_apply: EventToApply
  feedback: Feedback
  issue_feedback: IssueFeedback
  planned_exclusion: PlannedExclusion
  issue_tally: IssueTally
  click_hour: ClickHour
  delivered_hour: DeliveredHour
  list_day: ListDay
  list_mark: ListMark
  decision: Decision
  editor: Editor
  editor_session: EditorSession
  editor_code: EditorCode
  installation: Installation
  link: Link
  click: Click
  click_key: ClickKey
  pace: Pace
  mails_of_day: MailsOfDay
  delivery_state: DeliveryState
}

type Instant = Temporal.Instant
/** A number that PostgreSQL makes and nobody sets. */
type Identity = ColumnType<number, never, never>

export type EntryPrice = 'free' | 'freemium' | 'paid' | 'trial' | 'unknown'
export type ReviewVerdict = 'ship' | 'skip'

type Tool = { id: Identity; slug: string }

type Comparison = {
  id: Identity
  slug: string
  title: string
  published_at: Instant
  retracted_at: Instant | null
  revision: Generated<number>
  created_at: Instant
  revised_at: Instant
  /** The words that it is found by, as `searchWords` gives them. */
  sought: Generated<string>
}

/** Every word that a comparison says, as a `tsvector` of `searchWords`. */
type ComparisonText = { comparison_id: number; words: string }

type ComparisonTool = {
  comparison_id: number
  side: 1 | 2
  tool_id: number
  name: string
  category: string
  tagline: string
  description: string
  entry_price: EntryPrice
  price_note: string | null
  url: string | null
  community_ship: Generated<number>
  community_skip: Generated<number>
}

type Review = {
  comparison_id: number
  side: 1 | 2
  position: number
  reviewer: string
  verdict: ReviewVerdict
  quote: string
}

type ComparisonRevision = {
  comparison_id: number
  revision: number
  revised_at: Instant
  /** Whoever brought it; null for what nobody named. */
  by: string | null
  document: JSONColumnType<object>
}

export type SubscriberStatus = 'pending' | 'confirmed' | 'paused' | 'unsubscribed' | 'erased'
/** How often: every issue, the month's verdicts once, or only issues with something that the reader follows. */
export type Cadence = 'weekly' | 'monthly' | 'followed'

type Subscriber = {
  id: Identity
  public_id: Generated<string>
  /** Null once the reader has been erased. */
  address: string | null
  status: SubscriberStatus
  cadence: Generated<Cadence>
  created_at: Instant
  confirmed_at: Instant | null
  paused_until: Instant | null
  unsubscribed_at: Instant | null
}

type ConsentEvent = {
  id: Identity
  subscriber_id: number
  kind: ConsentKind
  at: Instant
  method: string
  detail: string | null
  wording: string | null
  form_url: string | null
  network: string | null
}

export type ConsentKind =
  | 'signed up'
  | 'confirmed'
  | 'imported'
  | 'paused'
  | 'resumed'
  | 'unsubscribed'
  | 'resubscribed'
  | 'preferences changed'
  | 'address changed'
  | 'erased'

export type DepartureReason = 'too often' | 'not for me' | 'not trusted' | 'never signed up' | 'other'

type Departure = {
  subscriber_id: number
  at: Instant
  why: DepartureReason | null
  words: string | null
}

type FollowedCategory = { subscriber_id: number; category: string }

type FollowedTool = { subscriber_id: number; tool_id: number }

/** What a reader would do with a tool: one vote to each, which may be changed. */
type Vote = {
  subscriber_id: number
  tool_id: number
  verdict: ReviewVerdict
  /** The comparison under which it was cast last, and the issue whose mail it came from. */
  comparison_id: number
  issue_id: number
  cast_at: Instant
  changed_at: Instant
  /** How often it was cast or changed. */
  turn: number
  network: string
  /** Not counted, by an editor's decision. */
  set_aside: Generated<boolean>
}

/** The votes on a tool in sums, kept with each vote; what was set aside is in neither count. */
type VoteTally = {
  tool_id: number
  ship: number
  skip: number
  set_aside: Generated<number>
  changed_at: Instant
}

/** Votes on a tool in a direction that were cast or changed within ten minutes, counted by a job. */
type VoteSlice = {
  slice: Instant
  tool_id: number
  verdict: ReviewVerdict
  votes: number
  /** Of those, by readers who had confirmed shortly before. */
  newcomers: number
}

/** Up to when the job has seen the votes. */
type VoteWatch = { single: Generated<true>; looked_until: Instant }

/** All of a reader's votes as one hash. */
type VoteBallot = { subscriber_id: number; votes: number; issues: number; ballot: string }

/** What gave a burst (`pace`, `network`, `newcomers`) or a ring (`alike`, `origin`) away. */
export type FlagRule = 'pace' | 'network' | 'newcomers' | 'alike' | 'origin'
export type FlagState = 'open' | 'left' | 'set aside'

/** Votes that an editor has to look at; `evidence` is parsed in `src/vote/flag.ts`. */
type VoteFlag = {
  id: Identity
  rule: FlagRule
  key: string | null
  state: Generated<FlagState>
  /** Whether an editor set its votes aside, even when it is open again because more came. */
  sets_aside: Generated<boolean>
  /** Another one whenever it grows or is decided. */
  revision: Generated<number>
  found_at: Instant
  grown_at: Instant
  decided_at: Instant | null
  evidence: JSONColumnType<object>
}

type VoteFlagVote = { flag_id: number; subscriber_id: number; tool_id: number; found_at: Instant }

type SignUp = {
  id: Identity
  address: string
  at: Instant
  network: string
  form_url: string
  wording: string
  method: 'form' | 'embedded form' | 'json'
  signals: string[]
  /** The slug of the tool, or the name of the category, that is to be followed; null where nothing is. */
  follow_tool: string | null
  follow_category: string | null
  follow_cadence: WishedCadence | null
}

/** How often somebody who follows something on its page wants mail. */
export type WishedCadence = Exclude<Cadence, 'monthly'>

export type LetterKind =
  | 'confirm'
  | 'welcome'
  | 'confirm new address'
  | 'address changed'
  | 'resumed'
  | 'follow'

type Letter = {
  id: Generated<string>
  subscriber_id: number
  kind: LetterKind
  to_address: string | null
  key_id: string
  created_at: Instant
  not_before: Instant
  expires_at: Instant | null
  attempts: Generated<number>
  sent_at: Instant | null
  given_up_at: Instant | null
  reason: string | null
  feedback: FeedbackState | null
  feedback_at: Instant | null
  soft_at: Instant | null
  /** What is followed once its link is pressed, by slug or by name, and how the letter calls it; null where nothing is. */
  follow_tool: string | null
  follow_category: string | null
  follow_name: string | null
  follow_cadence: WishedCadence | null
}

type Proof = {
  token_hash: string
  letter_id: string
  subscriber_id: number
  purpose: 'confirm' | 'change address' | 'follow'
  new_address: string | null
  expires_at: Instant
  used_at: Instant | null
}

type RateLimit = { key: string; points: number; expire: number | null }

type Suppression = {
  id: Identity
  address: string | null
  address_hash: string | null
  key_id: string | null
  reason: 'bounced' | 'complained' | 'erased' | 'by hand'
  since: Instant
}

type Newsletter = { single: Generated<true>; baseline_at: Instant }

export type IssueState =
  | 'scheduled'
  | 'draft'
  | 'approved'
  | 'held'
  | 'quiet'
  | 'missed'
  | 'sending'
  | 'paused'
  | 'sent'
  | 'partly sent'
  | 'cancelled'

type Issue = {
  id: Identity
  week: string
  state: IssueState
  reason: string | null
  timezone: string
  draft_at: Instant
  due_at: Instant
  cutoff_at: Instant | null
  edition_hash: string | null
  approved_hash: string | null
  approved_at: Instant | null
  approved_by: string | null
  planned_at: Instant | null
  planned: Generated<number>
  finished_at: Instant | null
  /** When a pause ends by itself (a day's quota); null where a person has to end it. */
  resume_at: Instant | null
  /** How many votes made a result when it was set. */
  fewest_votes: Generated<number>
}

type IssueComparison = {
  issue_id: number
  comparison_id: number
  position: number
  revision: number
  counts: Generated<boolean>
}

/** The votes on a tool as an issue was set with them. */
type IssueVote = { issue_id: number; tool_id: number; ship: number; skip: number }

/** A comparison of the issue before, which an issue tells the community's outcome of. */
type IssueOutcome = { issue_id: number; comparison_id: number; position: number; revision: number }

type Edition = {
  hash: string
  issue_id: number
  subject: string
  preheader: string
  html: string
  text: string
  frozen_at: Instant
  /** The approved edition that this one was set beside; null for that one itself. */
  variant_of: string | null
}

/** With which revision a planned edition speaks of a comparison; `corrects` is the revision it corrects, null where it is set in full. */
type EditionTells = {
  edition_hash: string
  comparison_id: number
  revision: number
  corrects: number | null
}

/** What an issue corrects for readers who were told a revision: see `src/issue/correction.ts`. Days in the newsletter's zone. */
type IssueCorrection = {
  issue_id: number
  comparison_id: number
  told_revision: number
  /** The smallest told revision that says the same. */
  from_revision: number
  revision: number
  place: number
  is_primary: boolean
  told_on: string | null
  since: string | null
}

/** One revision of what an editor corrected in an issue; `edits` is parsed in `src/issue/edits.ts`. */
type IssueEdits = {
  issue_id: number
  revision: number
  at: Instant
  by: string
  how: 'edit' | 'undo' | 'redo' | 'back'
  /** The revision that has the same content, 0 for the issue as generated; null for an edit. */
  restores: number | null
  edits: JSONColumnType<object>
  fields: string[]
  edition_hash: string
  /** Who had approved the edition that this one took the place of. */
  took_approval_of: string | null
}

/** What the costly checks of an edition found; `version` names the rules that they were made by. */
type EditionCheck = {
  edition_hash: string
  part: 'edition' | 'variants' | 'axe'
  version: string
  findings: JSONColumnType<object>
  at: Instant
}

/** A block that an editor let pass, for one edition. */
type PreflightAcknowledgement = {
  issue_id: number
  line: string
  edition_hash: string
  by: string
  reason: string
  at: Instant
}

/** What the editors were mailed of: `ahead` of the issue's time, or when that was `stopped`. */
type PreflightNotice = {
  issue_id: number
  occasion: 'ahead' | 'stopped'
  lines: string
  claimed_at: Instant
  told_at: Instant | null
}

export type BatchState =
  | 'built'
  | 'attempting'
  | 'accepted'
  | 'rejected'
  | 'split'
  | 'unknown'
  | 'quarantined'
  | 'empty'

type Batch = {
  id: string
  issue_id: number
  edition_hash: string
  ordinal: number
  size: number
  state: BatchState
  reason: string | null
  generation: Generated<number>
  idempotency_key: string
  key_id: string
  fence: Generated<number>
  lease_owner: string | null
  lease_until: Instant | null
  not_before: Instant | null
  first_used_at: Instant | null
  accepted_at: Instant | null
  provider_ids: (string | null)[] | null
  parent_id: string | null
}

type Delivery = {
  issue_id: number
  subscriber_id: number
  /** Null, with the slot, when the reader gets nothing of this issue. */
  batch_id: string | null
  slot: number | null
  address: string | null
  exception: 'excluded' | 'rejected' | null
  reason: string | null
}

type Attempt = {
  id: Identity
  batch_id: string
  fence: number
  fingerprint: string
  members: number[]
  worker: string
  started_at: Instant
  finished_at: Instant | null
  outcome: 'accepted' | 'rejected' | 'retry' | 'halt' | 'unknown' | null
  reason: string | null
}

type ProviderEvent = {
  svix_id: string
  type: string
  email_id: string | null
  batch_id: string | null
  subscriber_public_id: string | null
  occurred_at: Instant
  received_at: Instant
  body: JSONColumnType<object>
}

/** What became of a mail that was sent, by the provider's events. A later value outweighs an earlier one (RELIABILITY 3.6). */
export type FeedbackState =
  | 'delayed'
  | 'delivered'
  | 'failed'
  | 'suppressed'
  | 'bounced soft'
  | 'bounced hard'
  | 'complained'

/** An event between its arrival and its effect. */
type EventToApply = {
  id: Identity
  svix_id: string
  email_id: string | null
  batch_id: string | null
  /** The public id of the reader whose delivery it is about, by its tag. */
  reader: string | null
  letter_id: string | null
  address: string | null
  state: FeedbackState | null
  /** Why its address is never to be mailed again; null when the event is no reason for that. */
  bars: 'bounced' | 'complained' | 'by hand' | null
  at: Instant
  received_at: Instant
  not_before: Instant
}

type Feedback = {
  subscriber_id: number
  /** When that state was first reported, by the provider's clock. */
  at: Instant
  /** When the mail first bounced softly, whatever became of it afterwards. */
  soft_at: Instant | null
  issue_id: number
  state: FeedbackState
}

/** How many of an issue's deliveries stand at each state: the sum is the number of its `feedback` rows. */
type IssueFeedback = {
  issue_id: number
  delayed: number
  delivered: number
  failed: number
  suppressed: number
  bounced_soft: number
  bounced_hard: number
  complained: number
}

/** Readers who got nothing of an issue from the start, by why. */
type PlannedExclusion = { issue_id: number; reason: string; readers: number }

/** What a job counted of an issue, and up to when; null where it has not counted yet. */
type IssueTally = {
  issue_id: number
  clicks_raw: Generated<number>
  /** Without what was a program by the evidence. */
  clicks: Generated<number>
  clicks_until: Instant | null
  unsubscribed: Generated<number>
  unsubscribed_until: Instant | null
  /** How many had been delivered when their hours were last counted. */
  reported: number | null
  reported_at: Instant | null
}

/** Clicks on a link in an hour after its issue was planned, 0 for the first. */
type ClickHour = {
  issue_id: number
  hour: number
  link_id: string
  raw: number
  filtered: number
  agent: number
  trap: number
  burst: number
}

type DeliveredHour = { issue_id: number; hour: number; delivered: number }

/** Why readers came onto the list, or went off it. */
export type ListChange =
  | 'confirmed'
  | 'imported'
  | 'resubscribed'
  | 'resumed'
  | 'unsubscribed'
  | 'bounced'
  | 'complained'
  | 'paused'
  | 'erased'
  | 'by hand'

type ListDay = { day: string; what: ListChange; readers: number }

/** Days up to `settled` are counted for good; what came after it, up to `counted_until`. */
type ListMark = { single: Generated<true>; settled: string; counted_until: Instant }

export type DecisionKind =
  | 'sign in'
  | 'sign out'
  | 'sign out everywhere'
  | 'lock out'
  | 'draft'
  | 'edit'
  | 'approve'
  | 'hold'
  | 'release'
  | 'cancel'
  | 'send now'
  | 'change time'
  | 'test send'
  | 'retry failed'
  | 'confirm'
  | 'resend'
  | 'drop'
  | 'quarantine'
  | 'adopt database'
  | 'resend confirmation'
  | 'unsubscribe'
  | 'suppress'
  | 'lift suppression'
  | 'end pause'
  | 'add reader'
  | 'export reader'
  | 'erase'
  | 'publish'
  | 'edit comparison'
  | 'retract'
  | 'restore'
  | 'let pass'
  | 'leave votes'
  | 'set votes aside'
  | 'count votes again'

type Decision = {
  id: Identity
  at: Instant
  by: string
  what: DecisionKind
  issue_id: number | null
  batch_id: string | null
  evidence: JSONColumnType<object>
}

type Editor = {
  id: string
  address: string
  name: Generated<string>
  image: string | null
  email_verified: boolean
  created_at: Instant
  updated_at: Instant
}

type EditorSession = {
  id: string
  editor_id: string
  token: string
  expires_at: Instant
  ip_address: string | null
  user_agent: string | null
  created_at: Instant
  updated_at: Instant
}

type EditorCode = {
  id: string
  identifier: string
  value: string
  expires_at: Instant
  created_at: Instant
  updated_at: Instant
}

type Installation = {
  single: Generated<true>
  /** Another one after each adoption; those before it are the ancestors. */
  id: Generated<string>
  ancestors: Generated<string[]>
  /** Where the database was when it last sent: server, database, timeline. */
  place: string | null
}

type Link = {
  id: string
  issue_id: number
  kind: 'comparison' | 'trap'
  comparison_id: number | null
  /** Its comparison's place in the approved edition; null for one that only a variant or an earlier draft has. */
  position: number | null
  target: string
}

/** What a user agent says of itself: a browser, a known program, one that looks ahead, or nothing. */
export type AgentClass = 'browser' | 'program' | 'prefetch' | 'none'

type Click = {
  link_id: string
  at: Instant
  /** Beyond what a JavaScript number holds: only compared, and by the database. */
  network: ColumnType<number, string | number, never>
  visitor: ColumnType<number, string | number, never>
  agent: AgentClass
  head: boolean
}

type ClickKey = { day: string; key: string }

type Pace = {
  transport: string
  /** Calls a second that the provider allows, as it said last. */
  per_second: number
  /** The share of that which is left unused; grows when the provider says that it was too much. */
  slack: number
  next_at: Instant
  heard_at: Instant
}

/** Mails that were handed over on a day of UTC, kept where a daily limit is set. */
type MailsOfDay = { day: string; mails: number }

export type DeliveryOutcome =
  | 'planned'
  | 'attempting'
  | 'accepted'
  | 'excluded'
  | 'rejected'
  | 'unknown'
  | 'quarantined'

type DeliveryState = {
  issue_id: number
  subscriber_id: number
  address: string | null
  batch_id: string | null
  slot: number | null
  state: DeliveryOutcome
  reason: string | null
  provider_id: string | null
}
