import type { AccountId } from "@bursar/contract/ids";
import type { Topic } from "@bursar/contract/socket/topics";
import type { Changes } from "@bursar/engine/change/changes";
import { READERS, type ReaderDeps } from "./readers.ts";

/** Who gets the pushes of a topic. */
export interface Subscriber {
  send(text: string): void;
}

export interface FeedDeps extends ReaderDeps {
  readonly changes: Changes;
  readonly log: { warn(facts: object, message: string): void };
}

interface Channel {
  readonly subscribers: Set<Subscriber>;
  /** Those who have not been told anything yet. */
  readonly fresh: Set<Subscriber>;
  last: string | null;
}

interface Feed {
  readonly channels: Map<Topic, Channel>;
  isWaiting: boolean;
  isReading: boolean;
}

/** Accounts that are read at the same time: pushes must not take the database from those who spend. */
const READERS_AT_ONCE = 4;
const RETRY_MILLISECONDS = 1000;

/** Reads what has changed of the accounts that somebody watches, and pushes it. However many changes come while an
 *  account is being read, it is read once more after them: pushes are as frequent as clients and database bear. */
export class Feeds {
  readonly #deps: FeedDeps;
  readonly #feeds = new Map<AccountId, Feed>();
  readonly #waiting: AccountId[] = [];
  #reading = 0;
  #stopListening: (() => void) | null = null;

  constructor(deps: FeedDeps) {
    this.#deps = deps;
  }

  /** The present state comes at once. */
  subscribe(accountId: AccountId, topic: Topic, subscriber: Subscriber): void {
    const feed = this.#feedOf(accountId);
    const channel = channelOf(feed, topic);
    channel.subscribers.add(subscriber);
    channel.fresh.add(subscriber);
    this.#queue(accountId, feed);
  }

  unsubscribe(accountId: AccountId, topic: Topic, subscriber: Subscriber): void {
    const feed = this.#feeds.get(accountId);
    const channel = feed?.channels.get(topic);
    if (feed === undefined || channel === undefined) return;
    channel.subscribers.delete(subscriber);
    channel.fresh.delete(subscriber);
    if (channel.subscribers.size === 0) feed.channels.delete(topic);
    if (feed.channels.size === 0) this.#feeds.delete(accountId);
    if (this.#feeds.size === 0) this.close();
  }

  close(): void {
    this.#stopListening?.();
    this.#stopListening = null;
  }

  #feedOf(accountId: AccountId): Feed {
    this.#stopListening ??= this.#deps.changes.listen({
      onChanged: (accountIds) => this.#changed(accountIds),
      onDoubt: () => this.#changed(this.#feeds.keys()),
    });
    const known = this.#feeds.get(accountId);
    if (known !== undefined) return known;
    const feed = { channels: new Map<Topic, Channel>(), isWaiting: false, isReading: false };
    this.#feeds.set(accountId, feed);
    return feed;
  }

  #changed(accountIds: Iterable<AccountId>): void {
    for (const accountId of accountIds) {
      const feed = this.#feeds.get(accountId);
      if (feed !== undefined) this.#queue(accountId, feed);
    }
  }

  #queue(accountId: AccountId, feed: Feed): void {
    if (feed.isWaiting) return;
    feed.isWaiting = true;
    // One that is being read queues itself again at its end.
    if (feed.isReading) return;
    this.#waiting.push(accountId);
    this.#readOn();
  }

  /** Begins as many readings as there may be, and passes over accounts that nobody watches any more. */
  #readOn(): void {
    while (this.#reading < READERS_AT_ONCE && this.#waiting.length > 0) {
      const accountId = this.#waiting.shift()!;
      const feed = this.#feeds.get(accountId);
      // One that was left and watched again while it waited stands here twice.
      if (feed?.isWaiting === true && !feed.isReading) void this.#readNow(accountId, feed);
    }
  }

  async #readNow(accountId: AccountId, feed: Feed): Promise<void> {
    this.#reading += 1;
    feed.isWaiting = false;
    feed.isReading = true;
    try {
      await this.#read(accountId, feed);
    } catch (error) {
      this.#deps.log.warn({ err: error, accountId }, "a change could not be pushed; trying again");
      setTimeout(() => this.#changed([accountId]), RETRY_MILLISECONDS).unref();
    } finally {
      this.#reading -= 1;
      feed.isReading = false;
      if (feed.isWaiting) {
        feed.isWaiting = false;
        this.#queue(accountId, feed);
      }
      this.#readOn();
    }
  }

  /** One topic after the other, in the order of their subscription: a client that has seen the last has seen all. */
  async #read(accountId: AccountId, feed: Feed): Promise<void> {
    for (const [topic, channel] of feed.channels) {
      const fresh = [...channel.fresh];
      const data = await READERS[topic](this.#deps, accountId);
      if (data !== null) push(channel, fresh, JSON.stringify({ type: "push", topic, data }));
    }
  }
}

/** To all when it is news, else to those who have heard nothing yet. */
function push(channel: Channel, fresh: readonly Subscriber[], text: string): void {
  const isNews = text !== channel.last;
  channel.last = text;
  for (const subscriber of isNews ? channel.subscribers : fresh) subscriber.send(text);
  for (const subscriber of fresh) channel.fresh.delete(subscriber);
}

function channelOf(feed: Feed, topic: Topic): Channel {
  const known = feed.channels.get(topic);
  if (known !== undefined) return known;
  const channel = { subscribers: new Set<Subscriber>(), fresh: new Set<Subscriber>(), last: null };
  feed.channels.set(topic, channel);
  return channel;
}
