// Made from docs/openapi.json by `npm run generate`; changes go to crates/api.

export interface paths {
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Measurements for Prometheus. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keeps content until a job that names it is removed. */
        post: operations["upload"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/blobs/{hash}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Content by its hash. */
        get: operations["blob"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/clusters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Clusters that live offers form. */
        get: operations["clusters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The effective configuration, and where each value came from. */
        get: operations["config"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Looks the machine over; takes a second. */
        get: operations["doctor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/graphql": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A query of GraphQL as a link; its schema is docs/schema.graphql. */
        get: operations["graphqlQuery"];
        put?: never;
        /** A query or mutation of GraphQL; each field needs what its route needs. */
        post: operations["graphql"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Images kept by name. */
        get: operations["images"];
        put?: never;
        /** Keeps an image whose archive was uploaded before. */
        post: operations["keepImage"];
        /** Keeps an image no longer; jobs that use it are not affected. */
        delete: operations["removeImage"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/invites": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Invites of this node and who joined with them. */
        get: operations["invites"];
        put?: never;
        /** Makes an invite. */
        post: operations["invite"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Jobs, newest first. */
        get: operations["jobs"];
        put?: never;
        /** Takes a job; it is on disk before the answer comes, if it is `durable`. */
        post: operations["submit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/quote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a job would cost and who could run it; starts nothing. */
        post: operations["quote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A job in full. */
        get: operations["job"];
        put?: never;
        post?: never;
        /** Forgets a job that has ended, and frees its content. */
        delete: operations["removeJob"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops a job. */
        post: operations["cancelJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happens to a job, as it happens. */
        get: operations["jobEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Why things happened to a job, oldest first. */
        get: operations["notes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Runs what failed or was cancelled again. */
        post: operations["retryJob"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Runs of a job, in the order they were judged. */
        get: operations["runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job}/tasks/{task}/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One output of one task, as it was written. */
        get: operations["taskLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The API keys. */
        get: operations["keys"];
        put?: never;
        /** Makes an API key; its secret is shown this once. */
        post: operations["createKey"];
        /** Makes an API key work no longer. */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/keys/wallets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Wallets that may log in. */
        get: operations["walletLogins"];
        put?: never;
        /** Names a wallet that may log in, or gives it another role. */
        post: operations["addWalletLogin"];
        /** Lets a wallet log in no longer, and ends its sessions. */
        delete: operations["removeWalletLogin"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The ledger in one screen. */
        get: operations["ledger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/blocks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Final blocks in a row. */
        get: operations["blocks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/checkpoint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A checkpoint in the form that a contract takes. */
        get: operations["checkpoint"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Blocks, as they become final. */
        get: operations["ledgerEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ledger/proof": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A proof of one entry of the ledger, or of its absence. */
        get: operations["proof"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the owner lets the sky use, and what it comes to now. */
        get: operations["limits"];
        /** Sets all limits, now and for later starts. */
        put: operations["setLimits"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The node's own log. */
        get: operations["nodeLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Members that this node knows. */
        get: operations["members"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/node": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The node and its machine. */
        get: operations["node"];
        /** Gives the node another name, now and for later starts. */
        put: operations["rename"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/offers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live offers that this node knows. */
        get: operations["offers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/offers/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prices of offers since this node started, for a day at most. */
        get: operations["priceHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document. */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/peers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Connected members. */
        get: operations["peers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/receipts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A receipt with its proof. */
        get: operations["receipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/services": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Services that the node owns, keeps or has heard of. */
        get: operations["services"];
        put?: never;
        /** Declares a service, or its next revision; on disk before the answer comes. */
        post: operations["declareService"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/services/{service}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A service in full. */
        get: operations["service"];
        put?: never;
        post?: never;
        /** Ends a service of this node everywhere. */
        delete: operations["removeService"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/services/{service}/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What replicas write; for owners and keepers. */
        get: operations["serviceLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/services/{service}/ports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Leads a local address to a port of a service, over restarts too. */
        post: operations["openServicePort"];
        /** Leads a local address nowhere any more. */
        delete: operations["closeServicePort"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/services/{service}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Declares the revision before anew. */
        post: operations["rollBackService"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/services/{service}/scale": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Changes how many replicas run. */
        post: operations["scaleService"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the caller may do, whether it has a session, and until when. */
        get: operations["session"];
        put?: never;
        /** Opens a session for a link's code, or for an API key; its secret comes as a cookie. */
        post: operations["openSession"];
        /** Ends the caller's session. */
        delete: operations["closeSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/challenges": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A message that a wallet signs to log in, once, within five minutes. */
        post: operations["walletChallenge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A link that opens one browser session, once; only for the token. */
        post: operations["loginLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/wallet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Opens a session for a signed message (EIP-4361), as a cookie. */
        post: operations["openWalletSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Open sessions of browsers. */
        get: operations["sessions"];
        put?: never;
        post?: never;
        /** Ends a session of a browser. */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the node is doing, in one screen. */
        get: operations["status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops the node: work of others is ended, own jobs go on at the next start. */
        post: operations["stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transactions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hands in a transaction that was signed elsewhere. */
        post: operations["submitTransaction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/transactions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where a transaction is. */
        get: operations["transaction"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/validators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who votes, and who may from the next epoch on. */
        get: operations["validators"];
        put?: never;
        /** Names a validator, from the next epoch on. */
        post: operations["addValidator"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/validators/{node}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Names a validator no longer, from the next epoch on. */
        delete: operations["removeValidator"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/wallet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An account's money, with that of the accounts it owns. */
        get: operations["wallet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/wallet/auto-transfers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Transfers that happen by themselves. */
        get: operations["autoTransfers"];
        /** Sets all automatic transfers. */
        put: operations["setAutoTransfers"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/wallet/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An account's history, newest first. */
        get: operations["history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/wallet/owner": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Names the owner of this node's account. */
        post: operations["setOwner"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/wallet/stake": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Puts money at stake. */
        post: operations["stake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/wallet/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Pays out of this node's account. */
        post: operations["transfer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/wallet/unstake": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts taking money out of stake. */
        post: operations["unstake"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An account. */
        AccountId: string;
        /** @description One account. */
        AccountView: {
            /** @description Which. */
            account: components["schemas"]["AccountId"];
            /** @description Whether it has begun; one begins with its first income. */
            exists: boolean;
            /** @description Until when granted money may not be transferred, if that is still to come. */
            grant_locked_until?: components["schemas"]["Timestamp"];
            /** @description Whether it is this node's. */
            is_own: boolean;
            /** @description Its money. */
            money: components["schemas"]["MoneyView"];
            /**
             * Format: int64
             * @description The number of its next transaction, after those that wait.
             */
            next_number: number;
            /** @description Who owns it, if another account does. */
            owner?: components["schemas"]["AccountId"];
            /** @description How far it is trusted. */
            reputation: components["schemas"]["ReputationView"];
            /** @description What is on its way out of stake, first free first. */
            unbonding: components["schemas"]["UnbondingView"][];
        };
        /** @description An agreement: the hash of its terms. */
        AgreementId: string;
        /** @description Money that moves by itself. */
        AutoTransferView: {
            /** @description What stays in the account whatever happens. */
            keep_micros?: components["schemas"]["Micros"];
            /** @description To whom. */
            to: components["schemas"]["Payee"];
            /** @description When, and how much. */
            when: components["schemas"]["WhenView"];
        };
        /** @description The automatic transfers of this node's account, read and written whole. */
        AutoTransfers: {
            /** @description They, at most `AUTO_TRANSFERS_MAX`. */
            transfers: components["schemas"]["AutoTransferView"][];
        };
        /** @description Content by hash and size: what an upload answers and what a job names. */
        BlobRef: {
            /** @description BLAKE3 of the content. */
            hash: components["schemas"]["Hash"];
            /**
             * Format: int64
             * @description Its size, in bytes.
             */
            size_bytes: number;
        };
        /** @description Final blocks in a row, as nodes send them to each other. */
        Blocks: {
            /** @description Each in hex; the last one, and maybe others, with its certificate. Empty above the head, and where this node does not keep blocks that old. */
            blocks: string[];
            /**
             * Format: int64
             * @description The height of the first.
             */
            from: number;
            /** @description The newest final block that this node knows. */
            head: components["schemas"]["HeadView"];
        };
        /** @description Asks for a message that a wallet signs to log in. */
        ChallengeRequest: {
            /** @description The wallet's address. */
            address: string;
            /**
             * Format: int64
             * @description The chain that the wallet is set to.
             */
            chain_id: number;
        };
        /** @description A message for a wallet, which opens one session, once. */
        ChallengeView: {
            /** @description When it stops working. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description What to have signed by `personal_sign`: a message of EIP-4361. */
            message: string;
        };
        /** @description One check. */
        Check: {
            /** @description What was found. */
            found: string;
            /** @description What was looked at, such as `sandbox` or `reachability`. */
            name: string;
            /** @description What to do about it, where something can be done. */
            next?: string;
            /** @description How it is. */
            standing: components["schemas"]["Standing"];
        };
        /** @description What checks results, for verification by a check. */
        CheckView: {
            /** @description Its arguments; `{item}` stands for the task's own item. */
            args?: string[];
            /** @description Its hash. */
            hash: components["schemas"]["Hash"];
            /** @enum {string} */
            kind: "program";
            /** @description Limits of each run. */
            limits?: components["schemas"]["TaskLimitsView"];
            /** @description If given, the program writes a score, and this is the least that will do. */
            score_min?: components["schemas"]["Real"];
            /**
             * Format: int64
             * @description Its size, in bytes.
             */
            size_bytes: number;
        } | {
            /** @description By so much. */
            absolute?: components["schemas"]["Real"];
            /** @enum {string} */
            kind: "tolerance";
            /** @description By this part of the larger one. */
            relative?: components["schemas"]["Real"];
        };
        /** @description The domain of a sky: whatever contract knows the sky may take what is signed in it. */
        CheckpointDomain: {
            /** @description Always `OpenSky`. */
            name: string;
            /** @description The sky. */
            salt: string;
            /** @description The format's version. */
            version: string;
        };
        /** @description What a checkpoint says. Numbers beyond what JSON holds are decimal text. */
        CheckpointMessage: {
            /**
             * Format: int64
             * @description The epoch that ended.
             */
            epoch: number;
            /** @description The struct hash of the checkpoint before; zero for the first. */
            previous: string;
            /** @description The root of all withdrawal claims. */
            root: string;
            /**
             * Format: int64
             * @description The number of the set of validators that signs.
             */
            setId: number;
            /** @description Their sum, in micros. */
            total: string;
        };
        /** @description A signature. */
        CheckpointSignatureView: {
            /** @description Whose key it is. */
            address: string;
            /** @description The validator. */
            node: components["schemas"]["NodeId"];
            /** @description `r`, `s` and `v`: 65 bytes. */
            signature: string;
        };
        /** @description A validator of the epoch. */
        CheckpointSignerView: {
            /** @description The address of the key that it had named when the epoch began; one that had none can't sign. */
            address?: string;
            /** @description The validator. */
            node: components["schemas"]["NodeId"];
        };
        /** @description A checkpoint and who signed it. Words are `0x` and hex, as tools for Ethereum write them. */
        CheckpointView: {
            /** @description The hash that is signed. */
            digest: string;
            /** @description Whether there are so many. */
            is_complete: boolean;
            /**
             * Format: int64
             * @description How many signatures a contract asks for.
             */
            quorum: number;
            /** @description Who signed, in the order of addresses, so that a contract sees at a glance that none counts twice. */
            signatures: components["schemas"]["CheckpointSignatureView"][];
            /** @description Who may sign, in the order of their nodes' keys. */
            signers: components["schemas"]["CheckpointSignerView"][];
            /** @description What is signed, as EIP-712 has it: domain, type and message. */
            typed_data: components["schemas"]["TypedCheckpoint"];
        };
        /** @description Nodes of one region with one capability. */
        ClusterView: {
            /** @description When it was heard from last. */
            heartbeat_at: components["schemas"]["Timestamp"];
            /**
             * Format: int32
             * @description Nodes in it.
             */
            members: number;
            /** @description `region/capability`, such as `europe/function`. */
            name: string;
            /**
             * Format: int32
             * @description Of those, how many are free.
             */
            slots_free: number;
            /**
             * Format: int32
             * @description Tasks they run at a time.
             */
            slots_total: number;
        };
        /** @description Clusters that live offers form, in order of name. */
        Clusters: {
            /** @description They. */
            clusters: components["schemas"]["ClusterView"][];
        };
        /**
         * @description What went wrong, for programs. A code never changes its meaning.
         * @enum {string}
         */
        Code: "invalid-request" | "invalid-job" | "unauthorized" | "no-such-route" | "wrong-method" | "job-not-found" | "task-not-found" | "blob-not-found" | "receipt-not-found" | "image-not-found" | "service-not-found" | "invalid-service" | "key-not-found" | "session-not-found" | "account-not-found" | "checkpoint-not-found" | "wrong-state" | "no-node-fits" | "not-allowed" | "spend-limit" | "transaction-rejected" | "not-approved" | "ledger-not-ready" | "too-large" | "storage-full" | "idempotency-mismatch" | "idempotency-running" | "rate-limited" | "timed-out" | "busy" | "shutting-down" | "internal";
        /** @description A condition on an earlier stage. A stage whose conditions do not all hold is skipped. */
        ConditionView: {
            /** @description Whether it is the other way round. (`not` is a keyword in some of the languages that have a client.) */
            negated?: boolean;
            /** @description Of which of its tasks the test must hold. */
            of?: components["schemas"]["TasksMeantView"];
            /**
             * Format: int32
             * @description The earlier stage, by position.
             */
            stage: number;
            /** @description What must hold. */
            test: components["schemas"]["TestView"];
        };
        /** @description Every setting of a running node. */
        ConfigView: {
            /** @description In order of key. */
            settings: components["schemas"]["SettingView"][];
        };
        /** @description What providers must have. Absent or empty means any. */
        ConstraintsView: {
            /** @description Processor architecture, such as `x86_64`. */
            arch?: string;
            /**
             * Format: int32
             * @description At least this many logical cores.
             * @default 0
             */
            cpu_cores_min?: number;
            /**
             * Format: int32
             * @description At least this many GPUs.
             * @default 0
             */
            gpus_min?: number;
            /**
             * @description Only nodes of one of these kinds.
             * @default []
             */
            kinds?: components["schemas"]["NodeKind"][];
            /**
             * Format: int64
             * @description At least this much machine memory, in bytes.
             * @default 0
             */
            machine_memory_bytes_min?: number;
            /**
             * @description Only these nodes.
             * @default []
             */
            peers?: components["schemas"]["NodeId"][];
            /**
             * @description Never these nodes.
             * @default []
             */
            peers_excluded?: components["schemas"]["NodeId"][];
            /** @description At most this price of one billion fuel, in micros. */
            price_per_gfuel_max?: components["schemas"]["Micros"];
            /**
             * @description Only these regions.
             * @default []
             */
            regions?: components["schemas"]["Region"][];
            /**
             * Format: int32
             * @description At least this score of one core.
             * @default 0
             */
            score_min?: number;
        };
        /** @description What containers find at a node beside a processor, memory and files. */
        ContainerOfferView: {
            /** @description GPUs that a program can have, by their places in the machine's list. */
            gpus: number[];
            /** @description Isolations that can be asked for. */
            isolations: components["schemas"]["Isolation"][];
            /** @description Registries, or parts of them, that it takes images from. */
            registries: string[];
        };
        /** @description What a run wrote. Small content comes along, as `text` where it is UTF-8 and else as `hex`; other content is read from `crate::routes::BLOB` by its hash. */
        ContentView: {
            /** @description BLAKE3 of the content. */
            hash: components["schemas"]["Hash"];
            /** @description The content in hex, if it is small and not UTF-8. */
            hex?: string;
            /**
             * Format: int64
             * @description Its size, in bytes.
             */
            size_bytes: number;
            /** @description The content, if it is small and UTF-8. */
            text?: string;
        };
        /**
         * @description Which way money went, seen from what the account can spend.
         * @enum {string}
         */
        Direction: "in" | "out" | "none";
        /** @description All checks. */
        DoctorReport: {
            /** @description In the order they were made. */
            checks: components["schemas"]["Check"][];
        };
        /**
         * @description How a run failed.
         * @enum {string}
         */
        FailureKind: "exit-code" | "trap" | "limit" | "time" | "loss" | "check";
        /** @description A file that a task left under `/out`. */
        FileView: components["schemas"]["ContentView"] & {
            /** @description Its path below `/out`, with `/` between parts. Chosen by the program: never trust it. */
            path: string;
        };
        /** @description GPUs, all of one machine. */
        GpuNeedView: {
            /**
             * Format: int32
             * @description How many, 1 to 16.
             */
            count: number;
            /**
             * Format: int64
             * @description Memory of each, in bytes; 0: any.
             */
            memory_bytes_min?: number;
            /** @description A part of their name, whatever its case; empty: any. */
            model?: string;
            /** @description Who made them. Absent: anyone. */
            vendor?: components["schemas"]["GpuVendor"];
        };
        /**
         * @description Who makes a GPU.
         * @enum {string}
         */
        GpuVendor: "nvidia" | "amd";
        /** @description One accelerator. */
        GpuView: {
            /**
             * Format: int64
             * @description Its memory in bytes, where the driver says.
             */
            memory_bytes?: number;
            /** @description Marketing name. */
            model: string;
            /** @description `nvidia`, `amd`, … */
            vendor: string;
        };
        /** @description An answer: what was asked for, and what went wrong. */
        GraphqlAnswer: {
            /** @description What was asked for; absent where nothing was done. */
            data?: Record<string, never>;
            /** @description What went wrong, each with a problem's `code` in its `extensions`. */
            errors?: Record<string, never>[];
        };
        /** @description A request. */
        GraphqlRequest: {
            /** @description `persistedQuery` with `version` 1 and `sha256Hash`: keeps the query, or means one that is kept. */
            extensions?: Record<string, never>;
            /** @description Which of its operations, if it has several. */
            operationName?: string;
            /** @description The document. May be left out where `extensions` names a query that was sent before. */
            query?: string;
            /** @description Values of its variables. */
            variables?: Record<string, never>;
        };
        /** @description Something that followed from a transaction or from the passing of time. */
        HappeningView: {
            /** @description Whom it befell. */
            account?: components["schemas"]["AccountId"];
            /** @description Under which agreement. */
            agreement?: components["schemas"]["AgreementId"];
            /** @description How much. */
            amount_micros?: components["schemas"]["Micros"];
            /** @description A word for it, such as `paid`. */
            kind: string;
            /** @description The other side. */
            other?: components["schemas"]["AccountId"];
            /** @description It in a sentence. */
            sentence: string;
        };
        /** @description A machine. */
        HardwareView: {
            /** @description `x86_64`, `aarch64`, … */
            cpu_arch: string;
            /**
             * Format: int32
             * @description Logical cores.
             */
            cpu_cores: number;
            /** @description Marketing name of the processor. */
            cpu_model: string;
            /**
             * Format: int64
             * @description Free disk under the data folder, in bytes.
             */
            disk_free_bytes: number;
            /**
             * Format: int32
             * @description Sequential write speed of that disk, in MB/s; 0 if not measured.
             */
            disk_write_mb_s: number;
            /** @description Accelerators. */
            gpus: components["schemas"]["GpuView"][];
            /**
             * Format: int64
             * @description Memory, in bytes.
             */
            memory_bytes: number;
            /**
             * Format: int32
             * @description Compute score of one core: millions of fuel per second on the reference program.
             */
            score_per_core: number;
        };
        /** @description A BLAKE3 hash. */
        Hash: string;
        /** @description A final block. */
        HeadView: {
            /** @description Its time. */
            at: components["schemas"]["Timestamp"];
            /** @description Its id. */
            block: components["schemas"]["Hash"];
            /**
             * Format: int64
             * @description Its epoch.
             */
            epoch: number;
            /**
             * Format: int64
             * @description Distance from genesis.
             */
            height: number;
            /** @description The root of the state after it. */
            state: components["schemas"]["Hash"];
        };
        /** @description How the health of a replica is seen. */
        HealthView: {
            /**
             * Format: int32
             * @description Failed tries in a row that make a replica unhealthy.
             */
            failures_max: number;
            /**
             * Format: int64
             * @description Time between two tries, in milliseconds.
             */
            interval_ms: number;
            /** @description What is tried. */
            probe: components["schemas"]["ProbeView"];
            /**
             * Format: int64
             * @description Time after a start during which failed tries do not count, in milliseconds.
             */
            start_ms: number;
            /**
             * Format: int64
             * @description Time for one try, in milliseconds.
             */
            timeout_ms: number;
        };
        /** @description A page of a history, newest first. Kept for this node's account and its owner's, from when the node began to follow block by block. */
        History: {
            /** @description Whose. */
            account: components["schemas"]["AccountId"];
            /** @description The lines. */
            lines: components["schemas"]["HistoryLine"][];
            /** @description What `before` has to be for the next page; absent on the last. */
            next?: components["schemas"]["Place"];
        };
        /** @description One line of a history. */
        HistoryLine: {
            /** @description Under which agreement. */
            agreement?: components["schemas"]["AgreementId"];
            /** @description How much. */
            amount_micros?: components["schemas"]["Micros"];
            /** @description The block's time. */
            at: components["schemas"]["Timestamp"];
            /** @description Which way money went. */
            direction: components["schemas"]["Direction"];
            /** @description A word for it, such as `transfer` or `paid`. */
            kind: string;
            /** @description The memo of a transfer. */
            memo?: string;
            /** @description The other side. */
            other?: components["schemas"]["AccountId"];
            /** @description Where it stands. */
            place: components["schemas"]["Place"];
            /** @description It in a sentence. */
            sentence: string;
            /** @description The transaction's id, where it is one. */
            transaction?: components["schemas"]["Hash"];
        };
        /** @description Hours of the day, in minutes since local midnight (0 to 1440). `from` after `to` goes over midnight. */
        HoursView: {
            /**
             * Format: int32
             * @description First minute.
             */
            from_minute: number;
            /**
             * Format: int32
             * @description First minute no longer shared.
             */
            to_minute: number;
        };
        /** @description An image in a registry by its digest. */
        ImageRef: string;
        /** @description An image kept by name. */
        ImageView: {
            /** @description Its archive, by hash. */
            hash: components["schemas"]["Hash"];
            /** @description Since when it is kept. */
            kept_at: components["schemas"]["Timestamp"];
            /** @description What jobs call it, after `sky:`. */
            name: string;
            /**
             * Format: int64
             * @description Size of the archive, in bytes.
             */
            size_bytes: number;
        };
        /** @description The images of a node. */
        Images: {
            /** @description In order of name. */
            images: components["schemas"]["ImageView"][];
        };
        /** @description Where a stage's tasks get their inputs. */
        InputsRequest: {
            /** @enum {string} */
            kind: "one";
            stdin?: components["schemas"]["BlobRef"];
        } | {
            /** Format: int64 */
            from: number;
            /** @enum {string} */
            kind: "numbers";
            /** Format: int64 */
            step?: number;
            /** Format: int64 */
            to: number;
        } | {
            blobs: components["schemas"]["ListOf_NamedBlob"];
            /** @enum {string} */
            kind: "blobs";
        } | {
            blob: components["schemas"]["BlobRef"];
            cuts: components["schemas"]["ListOf_u64"];
            /** @enum {string} */
            kind: "slices";
        } | {
            /** @enum {string} */
            kind: "each";
            /** Format: int32 */
            stage: number;
        } | {
            /** Format: int32 */
            fan_in: number;
            /** @enum {string} */
            kind: "reduce";
            /** Format: int32 */
            stage: number;
        };
        /** @description Asks for an invite. */
        InviteRequest: {
            /**
             * @description Also opens the door to every node on the local network for as long as the invite works, so that these join without a token (`opensky up --lan`).
             * @default false
             */
            lan?: boolean;
            /**
             * Format: int32
             * @description How many nodes may join with it.
             * @default 1
             */
            uses_max?: number;
            /**
             * Format: int64
             * @description How long it works, in milliseconds from now.
             * @default 3600000
             */
            valid_ms?: number;
        };
        /** @description An invite and what became of it. */
        InviteView: {
            /** @description Where joiners knock, as multiaddresses. */
            addresses: string[];
            /** @description When it stops working. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description Whether the local network's door is open with it. */
            lan: boolean;
            /** @description The text to pass on. Whoever has it can join, so it is shown to the issuer's owner only. */
            token: string;
            /** @description Who did, oldest first. */
            used_by: components["schemas"]["NodeId"][];
            /**
             * Format: int32
             * @description How many nodes may join with it.
             */
            uses_max: number;
        };
        /** @description Invites of this node, newest first. */
        Invites: {
            /** @description They. */
            invites: components["schemas"]["InviteView"][];
        };
        /**
         * @description What keeps a container from its host.
         * @enum {string}
         */
        Isolation: "any" | "gvisor";
        /** @description A job in full. */
        JobDetail: components["schemas"]["JobSummary"] & {
            /** @description Most that it may cost, in micros. */
            budget_micros?: components["schemas"]["Micros"];
            /**
             * Format: int64
             * @description What it cost so far, in micros.
             */
            cost_micros: number;
            /**
             * Format: int64
             * @description Milliseconds after which the job is stopped.
             */
            deadline_ms?: number;
            /** @description Nodes that ran something, in order of id. */
            nodes: components["schemas"]["JobNodeView"][];
            /**
             * Format: int64
             * @description Seed of deterministic randomness and of the audit draw.
             */
            seed: number;
            /** @description Its stages, in order. */
            stages: components["schemas"]["StageView"][];
            /** @description Everything that all runs used, replicas and failed runs with it. */
            usage: components["schemas"]["UsageView"];
            /**
             * Format: int64
             * @description Milliseconds that tasks wait for a node that fits.
             */
            wait_ms: number;
        };
        /** @description One server-sent event of a job: the SSE field `event` is the tag, `data` this JSON, and `id` a number that grows. A client that reconnects with `Last-Event-ID` gets what it missed or, where that is no longer kept, a fresh `job` and `progress`. The stream starts with these two and ends after a `job` whose state is final. */
        JobEvent: {
            at: components["schemas"]["Timestamp"];
            /** @enum {string} */
            event: "job";
            /** @description Why, in a sentence; may be empty. */
            reason: string;
            state: components["schemas"]["StateView"];
        } | {
            /** @enum {string} */
            event: "progress";
            /** @description Per stage, in order. */
            stages: components["schemas"]["TaskCounts"][];
        } | (components["schemas"]["NoteView"] & {
            /** @enum {string} */
            event: "note";
        });
        /** @description A job. */
        JobId: string;
        /** @description What one node did for a job. */
        JobNodeView: {
            /**
             * Format: int32
             * @description Runs whose result was taken.
             */
            accepted: number;
            /**
             * Format: int32
             * @description Runs that confirmed a result.
             */
            agreed: number;
            /**
             * Format: int64
             * @description What they cost, in micros.
             */
            cost_micros: number;
            /**
             * Format: int32
             * @description Runs that failed.
             */
            failed: number;
            /** @description Who. */
            node: components["schemas"]["NodeId"];
            /**
             * Format: int32
             * @description Runs that were outvoted.
             */
            rejected: number;
            /** @description What they used in all. */
            usage: components["schemas"]["UsageView"];
        };
        /** @description A job to run. */
        JobRequest: {
            /** @description Most that the job may cost, in a sky with prices, in micros. */
            budget_micros?: components["schemas"]["Micros"];
            /**
             * Format: int64
             * @description Milliseconds after which the whole job is stopped.
             */
            deadline_ms?: number;
            /** @description Whether the job is on disk before the answer comes. */
            durable?: boolean;
            /** @description A name for people, up to 64 characters. */
            name: string;
            /**
             * Format: int64
             * @description Seed of deterministic randomness and of the audit draw. Absent: drawn by the node, so that no provider can foresee which tasks are checked.
             */
            seed?: number;
            /** @description In an order in which each stage depends on earlier ones only. */
            stages: components["schemas"]["StageRequest"][];
            /**
             * Format: int64
             * @description Milliseconds that tasks wait for a node that fits before the job fails. 0: fail at once.
             */
            wait_ms?: number;
        };
        /** @description A job in a list. */
        JobSummary: {
            /** @description When it reached its state. */
            changed_at: components["schemas"]["Timestamp"];
            /** @description Its id. */
            job: components["schemas"]["JobId"];
            /** @description Its name. */
            name: string;
            /** @description Why it waits or ended, in a sentence; empty if there is nothing to say. */
            reason: string;
            /** @description How it stands. */
            state: components["schemas"]["StateView"];
            /** @description When it was submitted. */
            submitted_at: components["schemas"]["Timestamp"];
            /** @description Its tasks. */
            tasks: components["schemas"]["TaskCounts"];
        };
        /** @description Jobs, newest first. */
        Jobs: {
            /** @description They. */
            jobs: components["schemas"]["JobSummary"][];
        };
        /** @description An image to keep. */
        KeepImageRequest: {
            /** @description Its archive, uploaded before. */
            hash: components["schemas"]["Hash"];
            /** @description What to call it: 1 to 255 bytes, without spaces. One of the same name is replaced. */
            name: string;
        };
        /** @description Asks for a key. */
        KeyRequest: {
            /** @description What to call it: 1 to 64 bytes, without spaces; no other key has the name. */
            name: string;
            /** @description What it may do. */
            role: components["schemas"]["Role"];
            /** @description What it may spend; what its role may if absent. */
            spend?: components["schemas"]["SpendLimit"];
            /**
             * Format: int64
             * @description How long it works, in milliseconds from now; without end if absent.
             */
            valid_ms?: number;
        };
        /** @description A key, without its secret, which the node does not keep. */
        KeyView: {
            /** @description Since when it exists. */
            created_at: components["schemas"]["Timestamp"];
            /** @description When it stops working, if ever. */
            expires_at?: components["schemas"]["Timestamp"];
            /** @description Its name. */
            name: string;
            /** @description What it may do. */
            role: components["schemas"]["Role"];
            /** @description What it may spend, if that is limited. */
            spend?: components["schemas"]["SpendView"];
        };
        /** @description The keys of a node. */
        Keys: {
            /** @description In order of name, those that no longer work among them. */
            keys: components["schemas"]["KeyView"][];
        };
        /** @description One server-sent event of the ledger: the SSE field `event` is the tag, `data` this JSON, `id` the height. The stream starts with `head`, and sends it again where a reader was too slow for blocks. */
        LedgerEvent: (components["schemas"]["HeadView"] & {
            /** @enum {string} */
            event: "head";
        }) | {
            /** @enum {string} */
            event: "block";
            /** @description What happened beside what transactions say. */
            happenings: components["schemas"]["HappeningView"][];
            /** @description The block. */
            head: components["schemas"]["HeadView"];
            /** @description What this node's account was paid and given in it. */
            income_micros: components["schemas"]["Micros"];
            /** @description The ids of its transactions, in order. */
            transactions: components["schemas"]["Hash"][];
        };
        /** @description The ledger in the node's status. */
        LedgerSummary: {
            /** @description When it was made. */
            at: components["schemas"]["Timestamp"];
            /** @description What this node's account can spend; absent where the sky has no prices. */
            available_micros?: components["schemas"]["Micros"];
            /**
             * Format: int64
             * @description The newest final block that this node knows.
             */
            height: number;
            /** @description This node's part. */
            role: components["schemas"]["RoleView"];
            /** @description Why it does not vote, where it should; else empty. */
            role_note: string;
        };
        /** @description The ledger in one screen. */
        LedgerView: {
            /** @description `true`: prices are zero. */
            economy_free: boolean;
            /**
             * Format: int64
             * @description Entries of the state.
             */
            entries: number;
            /** @description The sky's first facts, encoded, in hex: what `opensky ledger verify --genesis` takes. */
            genesis: string;
            /** @description The newest final block that this node knows. */
            head: components["schemas"]["HeadView"];
            /** @description The numbers of the rules. */
            params: components["schemas"]["ParamsView"];
            /** @description This node's part. */
            role: components["schemas"]["RoleView"];
            /** @description Why it does not vote, where it should; else empty. */
            role_note: string;
            /**
             * Format: int32
             * @description The rules in force.
             */
            rules: number;
            /** @description A switch of rules to come. */
            rules_next?: components["schemas"]["RulesSwitchView"];
            /** @description The sky. */
            sky: components["schemas"]["Hash"];
            /** @description Where other validators reach it, if it votes. */
            validator_address?: string;
            /** @description Who votes on the next block. */
            validators: components["schemas"]["NodeId"][];
            /**
             * Format: int64
             * @description Transactions that wait.
             */
            waiting: number;
        };
        /**
         * @description How a task runs.
         * @enum {string}
         */
        Level: "function" | "vm" | "container";
        /**
         * @description Why a stage runs at its level.
         * @enum {string}
         */
        LevelReason: "given" | "only-program" | "only-image" | "function" | "special-hardware" | "little-io" | "otherwise";
        /** @description The owner's limits, read and written whole. */
        Limits: {
            /**
             * Format: int32
             * @description Processor, in percent of all cores (0 to 100).
             */
            cpu_percent: number;
            /**
             * Format: int64
             * @description Disk for others' content and scratch, in bytes.
             */
            disk_bytes: number;
            /**
             * Format: int32
             * @description GPUs that programs of others can have, the first so many of those that the container engine can pass on.
             */
            gpus?: number;
            /** @description Only in these hours; absent for always. */
            hours?: components["schemas"]["HoursView"];
            /**
             * Format: int64
             * @description Memory for others' tasks, in bytes.
             */
            memory_bytes: number;
            /** @description Only while nobody uses the machine. */
            only_when_idle: boolean;
            /** @description Price of one billion fuel, in micros; holds in a sky with prices. */
            price_per_gfuel: components["schemas"]["Micros"];
            /** @description Whether the machine shares at all. */
            share: boolean;
            /**
             * Format: int32
             * @description Degrees Celsius at which running tasks are stopped.
             */
            temperature_critical: number;
            /**
             * Format: int32
             * @description Degrees Celsius from which no new task starts.
             */
            temperature_warning: number;
        };
        /** @description The limits and what they come to now. */
        LimitsView: {
            /** @description Why nothing is shared now, such as `outside-hours`; empty while sharing. */
            closed_reason: string;
            /** @description What the owner set. */
            limits: components["schemas"]["Limits"];
            /**
             * Format: int32
             * @description Tasks that may run at a time under them, on this machine, now.
             */
            slots_total: number;
        };
        /** @description A link that opens one session, once. */
        LinkView: {
            /** @description The code. */
            code: string;
            /** @description When it stops working. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description The page that takes it, below the node's address. */
            path: string;
        };
        /** @description A list, in place or, if long, uploaded first as a blob that holds the same JSON array. */
        ListOf_NamedBlob: {
            /** @description BLAKE3 of the content. */
            hash: components["schemas"]["Hash"];
            /** @description What `{item}` stands for. */
            name: string;
            /**
             * Format: int64
             * @description Its size, in bytes.
             */
            size_bytes: number;
        }[] | components["schemas"]["BlobRef"];
        /** @description A list, in place or, if long, uploaded first as a blob that holds the same JSON array. */
        ListOf_u64: number[] | components["schemas"]["BlobRef"];
        /** @description The load of a replica. */
        LoadView: {
            /** Format: int32 */
            count: number;
            /** @enum {string} */
            kind: "connections";
        } | {
            /** @enum {string} */
            kind: "cpu";
            /** Format: int32 */
            percent: number;
        };
        /** @description A node known to belong. */
        MemberView: {
            /** @description Where it was last reached, as multiaddresses. */
            addresses: string[];
            /** @description Whether it is connected now. */
            connected: boolean;
            /** @description Who let it in; absent for the founder. */
            invited_by?: components["schemas"]["NodeId"];
            /** @description When; absent for the founder. */
            joined_at?: components["schemas"]["Timestamp"];
            /** @description Who. */
            node: components["schemas"]["NodeId"];
        };
        /** @description Members that this node knows, in order of id. */
        Members: {
            /** @description They. */
            members: components["schemas"]["MemberView"][];
        };
        /** @description Money in micros: 1 credit is 1,000,000. */
        Micros: number;
        /** @description Offers that one constraint excluded. */
        MisfitCountView: {
            /** @description The constraint, in words. */
            constraint: string;
            /**
             * Format: int32
             * @description How many offers.
             */
            offers: number;
        };
        /** @description Why no node, or too few, could be used. */
        MisfitCountsView: {
            /** @description How many each constraint excluded. */
            excluded: components["schemas"]["MisfitCountView"][];
            /**
             * Format: int32
             * @description Offers that fit.
             */
            fitting: number;
            /**
             * Format: int32
             * @description Offers looked at.
             */
            offers: number;
            /** @description All of it in a sentence. */
            sentence: string;
        };
        /** @description Money by where it is. */
        MoneyView: {
            /** @description Owed; income pays it first. */
            debt_micros: components["schemas"]["Micros"];
            /** @description Put aside for work, as far as the history that this node keeps tells; absent where it keeps none. */
            escrow_micros?: components["schemas"]["Micros"];
            /** @description Can be spent, staked and withdrawn. */
            free_micros: components["schemas"]["Micros"];
            /** @description Can be spent only: it began as a grant or an overdraft. */
            granted_micros: components["schemas"]["Micros"];
            /** @description At stake. */
            staked_micros: components["schemas"]["Micros"];
            /** @description On its way out of stake. */
            unbonding_micros: components["schemas"]["Micros"];
        };
        /** @description What a program in a container needs beside a processor, memory and files. */
        NeedsView: {
            /** @description GPUs that are its own while it runs. */
            gpus?: components["schemas"]["GpuNeedView"];
            /** @description The image, where its host is to take it from a registry. Then its hash and size are left out. */
            image?: components["schemas"]["ImageRef"];
            /**
             * @description What keeps it from its host.
             * @default any
             */
            isolation?: components["schemas"]["Isolation"];
        };
        /** @description The network in numbers. */
        NetworkSummary: {
            /** @description Where others say that they reach it. */
            external: string[];
            /** @description Where this node listens, as multiaddresses. */
            listening: string[];
            /**
             * Format: int32
             * @description Connected members.
             */
            peers: number;
            /**
             * Format: int32
             * @description Of those, reached through another node.
             */
            peers_relayed: number;
            /** @description `public`, `private` or `unknown`. */
            reachability: string;
            /**
             * Format: int64
             * @description See `sent_bytes`.
             */
            received_bytes: number;
            /**
             * Format: int64
             * @description All traffic since start, in bytes.
             */
            sent_bytes: number;
        };
        /** @description A key that was just made. */
        NewKey: components["schemas"]["KeyView"] & {
            /** @description What to send as `Authorization: Bearer …`. Shown this once. */
            secret: string;
        };
        /** @description A node. */
        NodeId: string;
        /**
         * @description What kind of work a node is meant for.
         * @enum {string}
         */
        NodeKind: "general" | "wasm" | "ai" | "simulation" | "storage" | "relay" | "ingress";
        /** @description The node and its machine. */
        NodeView: {
            /** @description The machine. */
            hardware: components["schemas"]["HardwareView"];
            /** @description The owner's limits. */
            limits: components["schemas"]["Limits"];
            /** @description Its name for people. */
            name: string;
            /** @description Who this is. */
            node: components["schemas"]["NodeId"];
            /** @description What it offers now; absent before the first offer. */
            offer?: components["schemas"]["OfferView"];
            /** @description How the machine is doing. */
            readings: components["schemas"]["ReadingsView"];
        };
        /** @description A step worth explaining. */
        NoteView: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description What kind of step, for programs: `placed`, `retried`, `waiting`, … */
            kind: string;
            /** @description The node, where it is about one. */
            node?: components["schemas"]["NodeId"];
            /** @description What happened and why, in a sentence. */
            sentence: string;
            /** @description The task, where it is about one. */
            task?: components["schemas"]["TaskId"];
        };
        /** @description What was noted, oldest first. */
        Notes: {
            /** @description They. */
            notes: components["schemas"]["NoteView"][];
        };
        /** @description One offer. */
        OfferView: {
            /** @description What containers find there beside a processor, memory and files. */
            containers?: components["schemas"]["ContainerOfferView"];
            /** @description Engine and version. */
            engine: string;
            /** @description When it stops counting. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description The machine. */
            hardware: components["schemas"]["HardwareView"];
            /** @description What it is meant for. */
            kinds: components["schemas"]["NodeKind"][];
            /** @description How it runs tasks. */
            levels: components["schemas"]["Level"][];
            /** @description When it was made. */
            made_at: components["schemas"]["Timestamp"];
            /** @description The provider. */
            node: components["schemas"]["NodeId"];
            /** @description Why nothing is shared, if nothing is. */
            note: string;
            /** @description Price of one billion fuel, in micros. */
            price_per_gfuel: components["schemas"]["Micros"];
            /** @description Where the node is. */
            region: components["schemas"]["Region"];
            /**
             * Format: int32
             * @description Of those, free.
             */
            slots_free: number;
            /**
             * Format: int32
             * @description Most tasks at a time.
             */
            slots_total: number;
            /** @description The largest limits it accepts for one task. */
            task_limits_max: components["schemas"]["TaskLimitsView"];
        };
        /** @description Offers that have not expired, in order of node. */
        Offers: {
            /** @description They. */
            offers: components["schemas"]["OfferView"][];
        };
        /** @description A local address to lead to a port of a service. */
        OpenPortRequest: {
            /** @description Where to listen; port 0 takes a free one. Absent: a free port of this machine alone. */
            listen?: string;
            /**
             * Format: int32
             * @description The service's port.
             */
            port: number;
        };
        /** @description A local address that leads to a service. */
        OpenPortView: {
            /** @description Where the node listens. */
            listen: string;
            /**
             * Format: int32
             * @description The service's port.
             */
            port: number;
        };
        /** @description An open session, as the owner sees it. */
        OpenSessionView: {
            /** @description When it ends by itself. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description What it is called; opens nothing. */
            id: string;
            /** @description Whether it is the caller's own. */
            is_own: boolean;
            /** @description The key that opened it, if one did. */
            key?: string;
            /** @description Since when it is open. */
            opened_at: components["schemas"]["Timestamp"];
            /** @description What it may do. */
            role: components["schemas"]["Role"];
            /** @description The wallet that opened it, if one did. */
            wallet?: string;
        };
        /** @description Open sessions of browsers. */
        OpenSessions: {
            /** @description The latest first. */
            sessions: components["schemas"]["OpenSessionView"][];
        };
        /** @description Another owner of this node's account. */
        OwnerRequest: {
            /** @description Only try it out. */
            dry_run?: boolean;
            /** @description Who; nobody else if absent. */
            owner?: components["schemas"]["Payee"];
        };
        /** @description Those numbers of the rules that people ask for. */
        ParamsView: {
            /** @description Who names validators and rules, in a private sky. */
            authority?: components["schemas"]["AccountId"];
            /**
             * Format: int64
             * @description Longest one.
             */
            claim_window_ms_max: number;
            /**
             * Format: int64
             * @description Shortest time in which a consumer may object to a claim.
             */
            claim_window_ms_min: number;
            /**
             * Format: int64
             * @description Blocks of an epoch.
             */
            epoch_blocks: number;
            /**
             * Format: int64
             * @description Longest time that an escrow may be open.
             */
            escrow_ms_max: number;
            /** @description What a first income must be. */
            new_account_min_micros: components["schemas"]["Micros"];
            /**
             * Format: int32
             * @description Most transactions of a block.
             */
            transactions_max: number;
            /**
             * Format: int64
             * @description How long stake is on its way out.
             */
            unbonding_ms: number;
            /** @description Least stake of a validator, in a sky without an authority. */
            validator_stake_min_micros: components["schemas"]["Micros"];
        };
        /**
         * @description How a peer is reached.
         * @enum {string}
         */
        PathView: "direct" | "relayed";
        /** @description An account (`osk1…`), or the node whose account it is (`12D3KooW…`). */
        Payee: string;
        /** @description One connected member. */
        PeerView: {
            /** @description At which multiaddress. */
            address: string;
            /** @description Software and version it says to run. */
            agent: string;
            /** @description Who. */
            node: components["schemas"]["NodeId"];
            /** @description How it is reached. */
            path: components["schemas"]["PathView"];
            /** @description Its region, once its offer was seen. */
            region?: components["schemas"]["Region"];
            /**
             * Format: int64
             * @description Last round trip, in microseconds, once measured.
             */
            rtt_us?: number;
        };
        /** @description Connected members. */
        Peers: {
            /** @description In order of id. */
            peers: components["schemas"]["PeerView"][];
        };
        /** @description A place in a history: `HEIGHT:INDEX`. */
        Place: string;
        /** @description Prices that this node has seen since it started, for a day at most. */
        PriceHistory: {
            /** @description One a minute, oldest first; none for minutes without offers. */
            samples: components["schemas"]["PriceSample"][];
        };
        /** @description Prices, in micros. */
        PriceRange: {
            /** @description The highest. */
            highest: components["schemas"]["Micros"];
            /** @description The lowest. */
            lowest: components["schemas"]["Micros"];
            /** @description The one in the middle. */
            median: components["schemas"]["Micros"];
        };
        /** @description Prices of work in one moment, over the live offers that share something. */
        PriceSample: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /**
             * Format: int32
             * @description How many offers.
             */
            offers: number;
            /** @description The highest. */
            price_max: components["schemas"]["Micros"];
            /** @description That which half of the offers are not above. */
            price_median: components["schemas"]["Micros"];
            /** @description Lowest price of one billion fuel, in micros. */
            price_min: components["schemas"]["Micros"];
            /**
             * Format: int32
             * @description Tasks that all of them could take at that moment.
             */
            slots_free: number;
        };
        /** @description One try. */
        ProbeView: {
            /** @enum {string} */
            kind: "tcp";
            /** Format: int32 */
            port: number;
        } | {
            /** @enum {string} */
            kind: "http";
            path: string;
            /** Format: int32 */
            port: number;
        } | {
            args: string[];
            /** @enum {string} */
            kind: "command";
        };
        /** @description The body of every error answer. */
        Problem: {
            /** @description Which problem. */
            code: components["schemas"]["Code"];
            /** @description What happened and why, this time. */
            detail: string;
            /** @description What to do next, where there is something. */
            next?: string;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description `Code::title`. */
            title: string;
            /** @description Where the code is explained: `Code::uri`. */
            type?: string;
        };
        /** @description A program and how it is called. `{item}` in an argument stands for the task's own item. */
        ProgramRequest: {
            /** @description Arguments after the program's name, or the function's arguments as WAVE values. */
            args?: string[];
            /** @description Fixed clock, seeded randomness, canonical NaN. */
            deterministic?: boolean;
            /** @description Environment variables. */
            env?: [
                string,
                string
            ][];
            /** @description For level `function`: the exported function. */
            function?: string;
            /** @description The uploaded WASM module, component or image, by hash. Of an image in a registry that of its name, which may be left out. */
            hash?: components["schemas"]["Hash"];
            /** @description How it runs. */
            level?: components["schemas"]["Level"];
            /** @description For level `container`: what it needs beside a processor, memory and files. */
            needs?: components["schemas"]["NeedsView"];
            /**
             * Format: int64
             * @description Its size, in bytes; 0 of an image in a registry.
             */
            size_bytes?: number;
        };
        /** @description What a job would cost, all in: the ledger takes no fees, and data moves for nothing. */
        QuoteView: {
            /** @description What this node's account can spend now, in micros. */
            available_micros: components["schemas"]["Micros"];
            /** @description The owner's bound, in micros. */
            budget_micros?: components["schemas"]["Micros"];
            /** @description In micros, by what the same programs used before, at the median price; absent where one never ran. */
            cost_expected_micros?: components["schemas"]["Micros"];
            /** @description In micros, if every run used all the fuel that it may, on the dearest node that fits; the budget, if that is less. */
            cost_max_micros: components["schemas"]["Micros"];
            /** @description `true`: prices are zero. */
            economy_free: boolean;
            /** @description Each stage, in order. */
            stages: components["schemas"]["StageQuoteView"][];
        };
        /** @description Live readings. */
        ReadingsView: {
            /**
             * Format: int32
             * @description Processor use by others than this node, in percent of all cores.
             */
            cpu_busy_percent: number;
            /**
             * Format: int64
             * @description Free disk, in bytes.
             */
            disk_free_bytes: number;
            /**
             * Format: int64
             * @description Milliseconds since somebody used keyboard or pointer, where the system tells.
             */
            idle_ms?: number;
            /**
             * Format: int64
             * @description Memory that new work could take, in bytes.
             */
            memory_available_bytes: number;
            /**
             * Format: int32
             * @description Hottest sensor, in degrees Celsius, where there is one.
             */
            temperature_celsius?: number;
        };
        /** @description A finite number. */
        Real: number;
        /** @description A receipt as shown and as kept in a file for `opensky verify`. Only `proof` counts; the other fields are for people and are checked against it. */
        ReceiptView: {
            /** @description The agreement. */
            agreement: components["schemas"]["AgreementId"];
            /**
             * Format: int32
             * @description Which try.
             */
            attempt: number;
            /** @description For whom. */
            consumer: components["schemas"]["NodeId"];
            /** @description End on the provider's clock. */
            ended_at: components["schemas"]["Timestamp"];
            /** @description Engine and version. */
            engine: string;
            /** @description Hash of the engine's configuration. */
            engine_config: components["schemas"]["Hash"];
            /** @description Whether the program ran to its end. */
            exited: boolean;
            /** @description The receipt's id. */
            id: components["schemas"]["Hash"];
            /** @description The input. */
            input: components["schemas"]["Hash"];
            /** @description The job. */
            job: components["schemas"]["JobId"];
            /** @description The result. */
            output: components["schemas"]["Hash"];
            /** @description The price, in micros. */
            price: components["schemas"]["Micros"];
            /** @description The program. */
            program: components["schemas"]["Hash"];
            /** @description The canonical bytes of the whole proof, in hex. */
            proof: string;
            /** @description Who did the work. */
            provider: components["schemas"]["NodeId"];
            /** @description Who vouches for it. */
            standing: components["schemas"]["StandingView"];
            /** @description Start on the provider's clock. */
            started_at: components["schemas"]["Timestamp"];
            /** @description The task. */
            task: components["schemas"]["TaskId"];
            /** @description What it used. */
            usage: components["schemas"]["UsageView"];
        };
        /**
         * @description A region of the world.
         * @enum {string}
         */
        Region: "unknown" | "asia" | "north-america" | "europe" | "africa" | "south-america" | "oceania" | "middle-east";
        /** @description Asks for another name of the node. */
        RenameRequest: {
            /** @description For people; up to 64 characters, none of them a control character. Empty: the end of the node's id. */
            name: string;
        };
        /** @description A replica: `SERVICE.SLOT.GENERATION`. */
        ReplicaId: string;
        /** @description What one replica may use. Absent ones have their default. */
        ReplicaLimitsView: {
            /**
             * Format: int32
             * @description Cores.
             * @default 1
             */
            cpu_cores?: number;
            /**
             * Format: int64
             * @description Memory, in bytes.
             * @default 268435456
             */
            memory_bytes?: number;
            /**
             * Format: int64
             * @description Files it may write beside its volumes, in bytes.
             * @default 268435456
             */
            scratch_bytes?: number;
        };
        /**
         * @description How a replica stands.
         * @enum {string}
         */
        ReplicaState: "preparing" | "starting" | "healthy" | "unhealthy" | "waiting" | "leaving" | "failed" | "ended" | "moving";
        /** @description A replica as a node knows it. */
        ReplicaView: {
            /**
             * Format: int32
             * @description Connections that are open through its host.
             */
            connections?: number;
            /**
             * Format: int32
             * @description Processor time that it takes, in percent of its cores; where the service scales by it.
             */
            cpu_percent?: number;
            /** @description Whether it was asked to end. */
            ending: boolean;
            /**
             * Format: int64
             * @description For how long it has stood so, in milliseconds; known to keepers, like what follows.
             */
            for_ms?: number;
            /** @description What its program wrote last, where something is wrong. */
            last_words?: string;
            /** @description Whether its host has fallen silent. */
            lost: boolean;
            /** @description Where it runs. */
            node: components["schemas"]["NodeId"];
            /** @description What is wrong, where something is. */
            problem?: string;
            /** @description Its name. */
            replica: components["schemas"]["ReplicaId"];
            /**
             * Format: int32
             * @description How often its program was started again.
             */
            restarts?: number;
            /**
             * Format: int64
             * @description Of which revision.
             */
            revision: number;
            /** @description What was saved last of its volumes; known to keepers. */
            saved?: components["schemas"]["SavedView"];
            /**
             * Format: int32
             * @description Which of the service's replicas, from 0.
             */
            slot: number;
            /** @description How it stands, as last heard. */
            state: components["schemas"]["ReplicaState"];
        };
        /** @description How far an account is trusted. */
        ReputationView: {
            /** @description Until when it may take no work, if that is still to come. */
            frozen_until?: components["schemas"]["Timestamp"];
            /** @description Whether it is banned for good. */
            is_banned: boolean;
            /**
             * Format: int32
             * @description From 0 to 1000.
             */
            score: number;
            /** @description `probation`, `new`, `established`, `trusted` or `veteran`. */
            tier: string;
        };
        /**
         * @description Whether a replica starts again.
         * @enum {string}
         */
        Restart: "always" | "on-failure" | "never";
        /** @description After which failures a task is tried again, and how soon. */
        RetryView: {
            /**
             * Format: int64
             * @description Longest such wait, in milliseconds.
             * @default 300000
             */
            backoff_max_ms?: number;
            /**
             * Format: int64
             * @description Milliseconds that a task waits after its first failure; doubles with each further one.
             * @default 0
             */
            backoff_ms?: number;
            /**
             * @description If any are named, only these exit codes are worth another try.
             * @default []
             */
            exit_codes?: number[];
            /**
             * Format: int32
             * @description Runs of one task that may be lost by no fault of the program before the job stops.
             * @default 32
             */
            losses_max?: number;
            /**
             * @description Kinds of failures that are worth another try on another node; any other stops the job at once. All, if absent.
             * @default [
             *       "exit-code",
             *       "trap",
             *       "limit",
             *       "time",
             *       "loss",
             *       "check"
             *     ]
             */
            on?: components["schemas"]["FailureKind"][];
        };
        /**
         * @description What a caller may do. Each may do what the one before may.
         * @enum {string}
         */
        Role: "viewer" | "operator" | "owner";
        /**
         * @description A node's part in the agreement on blocks.
         * @enum {string}
         */
        RoleView: "follower" | "validator" | "stopped";
        /** @description A switch of rules. */
        RulesSwitchView: {
            /**
             * Format: int64
             * @description The first height under it.
             */
            height: number;
            /**
             * Format: int32
             * @description To which version.
             */
            version: number;
        };
        /** @description One run of one task. */
        RunView: {
            /**
             * Format: int32
             * @description Which try.
             */
            attempt: number;
            /**
             * Format: int32
             * @description Its exit code, if it ran to its end.
             */
            exit_code?: number;
            /** @description Whether the result that was accepted is that the task failed: in a stage that may fail. */
            failed?: boolean;
            /** @description Why it did not, in a sentence. */
            failure?: string;
            /** @description Files under `/out`, in order of path. */
            files: components["schemas"]["FileView"][];
            /** @description Who ran it. */
            node: components["schemas"]["NodeId"];
            /** @description The hash that replicas are compared by. */
            output: components["schemas"]["Hash"];
            /** @description Its receipt, if one came. */
            receipt?: components["schemas"]["Hash"];
            /** @description Standard error. */
            stderr: components["schemas"]["ContentView"];
            /** @description Standard output, kept for failed runs too. */
            stdout: components["schemas"]["ContentView"];
            /** @description Which task. */
            task: components["schemas"]["TaskId"];
            /** @description What it used. */
            usage: components["schemas"]["UsageView"];
            /** @description How it was judged. */
            verdict: components["schemas"]["VerdictView"];
        };
        /** @description A page of runs, in the order they were judged. */
        Runs: {
            /** @description Where the next page starts; absent at the end. Opaque. */
            next?: string;
            /** @description They. */
            runs: components["schemas"]["RunView"][];
        };
        /** @description The volumes of a replica as they were at one moment. */
        SavedView: {
            /** @description When, by the clock of its host. */
            at: components["schemas"]["Timestamp"];
            /** @description Whether the keeper that was asked holds it: it goes on from here if the host is lost. */
            held: boolean;
            /**
             * Format: int64
             * @description How much it is, packed.
             */
            size_bytes: number;
        };
        /** @description How many replicas are to run. */
        ScaleRequest: {
            /**
             * Format: int32
             * @description How many.
             */
            replicas: number;
        };
        /** @description A service: a hash of its owner and its name. */
        ServiceId: string;
        /** @description Another service that a program reaches as `host:port`. */
        ServiceLinkView: {
            /** @description The name under which the program knows it. */
            host: string;
            /**
             * Format: int32
             * @description Its port.
             */
            port: number;
            /** @description Which service. */
            service: components["schemas"]["ServiceRef"];
        };
        /** @description Something that happened to a service. */
        ServiceNoteView: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /**
             * Format: int32
             * @description To which replica, where it is about one.
             */
            slot?: number;
            /** @description What, in a sentence. */
            text: string;
        };
        /** @description A service by name, `web`, or `web@NODE` of another owner. */
        ServiceRef: string;
        /** @description A service to declare, or its next revision. */
        ServiceRequest: {
            /** @description Arguments after the image's entry point; none: the image's usual command. */
            args?: string[];
            /** @description Which nodes may run it. */
            constraints?: components["schemas"]["ConstraintsView"];
            /** @description Environment variables: pairs of a name and a value. */
            env?: [
                string,
                string
            ][];
            /** @description How its health is seen. Absent: what runs is healthy. */
            health?: components["schemas"]["HealthView"];
            /**
             * Format: int64
             * @description After so many milliseconds without a connection nothing of a component is in memory; the next one starts it. Absent: it stays.
             */
            idle_ms?: number;
            /** @description The uploaded image, by hash; for the level `vm` a component that answers HTTP. Of an image in a registry that of its name, which may be left out. */
            image?: components["schemas"]["Hash"];
            /**
             * Format: int64
             * @description Size of the image's archive, in bytes; 0 of an image in a registry.
             */
            image_size_bytes?: number;
            /** @description How it runs: `container`, or `vm` for a component. */
            level?: components["schemas"]["Level"];
            /** @description What each may use. */
            limits?: components["schemas"]["ReplicaLimitsView"];
            /** @description Other services that the program reaches by name. */
            links?: components["schemas"]["ServiceLinkView"][];
            /** @description Its name among the services of this node: a label as in DNS. */
            name: string;
            /** @description For the level `container`: what it needs beside a processor, memory and files. */
            needs?: components["schemas"]["NeedsView"];
            /** @description Ports of the program that members may reach. */
            ports?: number[];
            /**
             * Format: int32
             * @description How many of it run.
             */
            replicas?: number;
            /** @description Whether it starts again when its program ends. */
            restart?: components["schemas"]["Restart"];
            /** @description As many run as their load needs; `replicas` is then how many there are at first. */
            scale?: components["schemas"]["ServiceScaleView"];
            /** @description What only those who run it can read. Their values are never shown. */
            secrets?: components["schemas"]["ServiceSecretView"][];
            /**
             * Format: int64
             * @description Time to end after it was asked to, in milliseconds.
             */
            stop_ms?: number;
            /** @description How a new revision takes the place of the one before. */
            update?: components["schemas"]["UpdateView"];
            /** @description Folders that stay when its program ends. */
            volumes?: components["schemas"]["VolumesView"];
        };
        /** @description How many replicas run, by their load. */
        ServiceScaleView: {
            /**
             * Format: int32
             * @description No more.
             */
            max: number;
            /**
             * Format: int32
             * @description No fewer.
             */
            min: number;
            /** @description What each is to have. */
            target: components["schemas"]["LoadView"];
        };
        /** @description A secret of a service. */
        ServiceSecretView: {
            /** @description The environment variable of the program that holds it. */
            env?: string;
            /** @description Whether the program finds it as the file `/run/secrets/NAME`. */
            file: boolean;
            /** @description Its name. */
            name: string;
            /** @description What it is, in Base64. Never in an answer; absent in a request: what it is already. */
            value?: string;
        };
        /**
         * @description How a service is, all in all.
         * @enum {string}
         */
        ServiceStateView: "starting" | "healthy" | "updating" | "degraded" | "down" | "removed";
        /** @description A service as a node knows it. */
        ServiceView: {
            /** @description Whether this node acts as its keeper. */
            acting: boolean;
            /** @description When the newest revision was declared. */
            declared_at: components["schemas"]["Timestamp"];
            /** @description What went wrong with the last one. */
            failure?: string;
            /**
             * Format: int32
             * @description How often replicas of the revision that is to run failed, while none of them has been well yet.
             */
            failures?: number;
            /** @description Who keeps it up, in order. */
            keepers: components["schemas"]["NodeId"][];
            /** @description Its name among its owner's services. */
            name: string;
            /** @description What happened lately, oldest first; known to its keepers. */
            notes: components["schemas"]["ServiceNoteView"][];
            /** @description Local addresses of this node that lead to it. */
            open_ports: components["schemas"]["OpenPortView"][];
            /** @description Whether it is this node's own. */
            own: boolean;
            /** @description Whose it is. */
            owner: components["schemas"]["NodeId"];
            /** @description Ports that members may reach. */
            ports: number[];
            /** @description Why the newest revision is not the one that runs. */
            problem?: string;
            /** @description Nodes that can read its secrets: its owner, and those that may run it. Empty for one without secrets; known to its owner and its keepers. */
            readers?: components["schemas"]["NodeId"][];
            /** @description Its replicas, by slot. */
            replicas: components["schemas"]["ReplicaView"][];
            /**
             * Format: int32
             * @description How many replicas are to run; known to keepers.
             */
            replicas_wanted?: number;
            /**
             * Format: int64
             * @description The newest revision.
             */
            revision: number;
            /** @description Its id. */
            service: components["schemas"]["ServiceId"];
            /** @description What runs; known to its owner and its keepers. */
            spec?: components["schemas"]["ServiceRequest"];
            /** @description All in all. */
            state: components["schemas"]["ServiceStateView"];
            /**
             * Format: int64
             * @description The revision that is to run: an earlier one where the newest did not get healthy.
             */
            wanted: number;
        };
        /** @description Services that a node owns, keeps or has heard of. */
        Services: {
            /** @description In order of name. */
            services: components["schemas"]["ServiceView"][];
        };
        /** @description Asks for a session. */
        SessionRequest: {
            /** @description The code of a link. Absent where the request carries an API key: the session may what the key may, and ends with it. */
            code?: string;
        };
        /** @description A session. Its secret is in the cookie only. */
        SessionView: {
            /** @description When it ends by itself; absent for whoever holds the token. */
            expires_at?: components["schemas"]["Timestamp"];
            /** @description What the caller may do. */
            role: components["schemas"]["Role"];
            /** @description The wallet that logged in, if one did. */
            wallet?: string;
        };
        /**
         * @description Who set a value; the first of these that names it wins.
         * @enum {string}
         */
        SettingSource: "flag" | "environment" | "file" | "default";
        /** @description One setting. */
        SettingView: {
            /** @description Its name, as in the configuration file. */
            key: string;
            /** @description The flag, variable or file that did, where there is one. */
            origin?: string;
            /** @description Who set it. */
            source: components["schemas"]["SettingSource"];
            /** @description Its value as text; secrets are never shown. */
            value: string;
        };
        /** @description What the node does for others now. */
        SharingView: {
            /** @description Why nothing is shared, such as `outside-hours`; empty while sharing. */
            closed_reason: string;
            /**
             * Format: int32
             * @description Tasks that run.
             */
            slots_busy: number;
            /**
             * Format: int32
             * @description Tasks that may run at a time.
             */
            slots_total: number;
            /**
             * Format: int64
             * @description Tasks finished for others since start.
             */
            tasks_done: number;
        };
        /** @description A sky. */
        SkyView: {
            /** @description `true`: prices are zero. */
            economy_free: boolean;
            /** @description When. */
            founded_at: components["schemas"]["Timestamp"];
            /** @description Who founded it. */
            founder: components["schemas"]["NodeId"];
            /** @description Its name. */
            name: string;
            /** @description Its id. */
            sky: components["schemas"]["Hash"];
        };
        /** @description What a key may spend: on transfers, stake, and the budgets of jobs. */
        SpendLimit: {
            /** @description How much. */
            limit_micros: components["schemas"]["Micros"];
            /** @description For how long. */
            per: components["schemas"]["SpendPer"];
        };
        /**
         * @description For how long a limit holds.
         * @enum {string}
         */
        SpendPer: "ever" | "day";
        /** @description A limit, and what of it is spent. */
        SpendView: {
            /** @description How much. */
            limit_micros: components["schemas"]["Micros"];
            /** @description For how long. */
            per: components["schemas"]["SpendPer"];
            /** @description What is spent of it. A job counts with its budget. */
            spent_micros: components["schemas"]["Micros"];
        };
        /** @description What a stage would cost. */
        StageQuoteView: {
            /** @description As of the whole job. */
            cost_expected_micros?: components["schemas"]["Micros"];
            /** @description As of the whole job. */
            cost_max_micros: components["schemas"]["Micros"];
            /** @description Its name. */
            name: string;
            /** @description Who fits, and what excluded the others. */
            nodes: components["schemas"]["MisfitCountsView"];
            /** @description Prices of one billion fuel among those that fit; absent if nobody does. */
            prices_per_gfuel?: components["schemas"]["PriceRange"];
            /**
             * Format: int64
             * @description Runs that are paid for if nothing goes wrong, replicas and expected checks with them.
             */
            runs: number;
            /**
             * Format: int32
             * @description Its tasks.
             */
            tasks: number;
        };
        /** @description One stage: the same program over many inputs. */
        StageRequest: {
            /** @description Whether a non-zero exit code is a result like any other. */
            accept_any_exit?: boolean;
            /** @description Positions of stages that must be complete before this one starts. */
            after?: number[];
            /** @description For mode `checked`: what checks them. */
            check?: components["schemas"]["CheckView"];
            /** @description Which nodes may run it. */
            constraints?: components["schemas"]["ConstraintsView"];
            /**
             * Format: int32
             * @description Distinct nodes on which one task may fail before the job stops.
             */
            failures_max?: number;
            /** @description Whether stragglers get a second copy elsewhere. */
            hedge?: boolean;
            /** @description One task per input. */
            inputs: components["schemas"]["InputsRequest"];
            /** @description Why it runs at its level, for `opensky why`. */
            level_reason?: components["schemas"]["LevelReason"];
            /** @description Limits of each task. */
            limits?: components["schemas"]["TaskLimitsView"];
            /** @description Whether a task that fails for good is a result like any other, and the job goes on. */
            may_fail?: boolean;
            /** @description Unique in the job, up to 64 characters. */
            name: string;
            /** @description What to run. */
            program: components["schemas"]["ProgramRequest"];
            /** @description After which failures a task is tried again, and how soon. */
            retry?: components["schemas"]["RetryView"];
            /** @description How results are checked. */
            verify?: components["schemas"]["VerifyView"];
            /** @description What must hold of earlier stages; else all tasks are skipped. */
            when?: components["schemas"]["ConditionView"][];
        };
        /**
         * @description How a stage stands.
         * @enum {string}
         */
        StageStateView: "waiting" | "running" | "succeeded" | "failed" | "skipped" | "stopped";
        /** @description A stage. */
        StageView: {
            /** @description Whether it is the last: no other stage reads its outputs. */
            is_last: boolean;
            /** @description How it runs. */
            level: components["schemas"]["Level"];
            /** @description Its name. */
            name: string;
            /** @description Its program. */
            program: components["schemas"]["Hash"];
            /** @description How it stands. */
            state: components["schemas"]["StageStateView"];
            /** @description Its tasks. */
            tasks: components["schemas"]["TaskCounts"];
            /** @description How results are checked. */
            verify: components["schemas"]["VerifyView"];
            /** @description Set while it waits for a node. */
            waiting_for?: components["schemas"]["MisfitCountsView"];
        };
        /** @description An amount into or out of stake. */
        StakeRequest: {
            /** @description How much. */
            amount_micros: components["schemas"]["Micros"];
            /** @description Only try it out. */
            dry_run?: boolean;
        };
        /**
         * @description How a check ended.
         * @enum {string}
         */
        Standing: "ok" | "skipped" | "warning" | "broken";
        /**
         * @description Who vouches for a receipt.
         * @enum {string}
         */
        StandingView: "claimed" | "rejected" | "accepted";
        /**
         * @description How a job stands.
         * @enum {string}
         */
        StateView: "waiting" | "running" | "succeeded" | "failed" | "cancelled";
        /** @description How the node is doing, in one screen. */
        Status: {
            /** @description Its data folder. */
            data_dir: string;
            /**
             * Format: int32
             * @description Jobs of its owner that have not ended.
             */
            jobs_open: number;
            /** @description The sky's ledger. */
            ledger: components["schemas"]["LedgerSummary"];
            /** @description Its name for people. */
            name: string;
            /** @description Its place in the network. */
            network: components["schemas"]["NetworkSummary"];
            /** @description Who this is. */
            node: components["schemas"]["NodeId"];
            /** @description Its clock when it answered. */
            now: components["schemas"]["Timestamp"];
            /**
             * Format: int32
             * @description Offers it knows, its own among them.
             */
            offers: number;
            /**
             * Format: int64
             * @description Its own memory, in bytes, worker processes not counted.
             */
            resident_bytes: number;
            /** @description What it does for others. */
            sharing: components["schemas"]["SharingView"];
            /** @description The sky it belongs to. */
            sky: components["schemas"]["SkyView"];
            /** @description When it started. */
            started_at: components["schemas"]["Timestamp"];
            /** @description Its store of content. */
            storage: components["schemas"]["StorageView"];
            /** @description Software version. */
            version: string;
        };
        /** @description The blob store. */
        StorageView: {
            /**
             * Format: int64
             * @description The most it may use, in bytes.
             */
            cap_bytes: number;
            /**
             * Format: int64
             * @description In use, in bytes.
             */
            used_bytes: number;
        };
        /**
         * @description Which output of a task.
         * @enum {string}
         */
        StreamView: "stdout" | "stderr";
        /** @description A transaction that somebody signed elsewhere. */
        SubmitRequest: {
            /** @description Only try it out. */
            dry_run?: boolean;
            /** @description The encoded transaction with its signatures, in hex. */
            transaction: string;
        };
        /** @description The answer to a submission. The job is on disk if it was submitted as durable. */
        Submitted: {
            /** @description Its id. */
            job: components["schemas"]["JobId"];
            /**
             * Format: int64
             * @description Tasks in all.
             */
            tasks: number;
        };
        /** @description Tasks by where they are; the numbers add up to the count of tasks. */
        TaskCounts: {
            /**
             * Format: int32
             * @description With an accepted result.
             */
            done: number;
            /**
             * Format: int32
             * @description Given up, or failed for good in a stage that may fail.
             */
            failed: number;
            /**
             * Format: int32
             * @description Handed out, running, or being compared with replicas.
             */
            running: number;
            /**
             * Format: int32
             * @description Not to run, by a condition or because what they read has no result.
             */
            skipped?: number;
            /**
             * Format: int32
             * @description Not handed out: waiting for a slot, for inputs or for an earlier stage.
             */
            waiting: number;
        };
        /** @description A task of a job: `STAGE.INDEX`, both from 0. */
        TaskId: string;
        /** @description The hard limits of one task. Absent ones have their default. */
        TaskLimitsView: {
            /**
             * Format: int64
             * @description Fuel, about one unit per WASM instruction.
             * @default 1000000000000
             */
            fuel?: number;
            /**
             * Format: int64
             * @description Linear memory, in bytes.
             * @default 268435456
             */
            memory_bytes?: number;
            /**
             * Format: int64
             * @description Standard output, standard error and output files, each kind on its own, in bytes.
             * @default 67108864
             */
            output_bytes?: number;
            /**
             * Format: int64
             * @description Files written, in bytes.
             * @default 268435456
             */
            scratch_bytes?: number;
            /**
             * Format: int64
             * @description Wall time, in milliseconds.
             * @default 600000
             */
            wall_ms?: number;
        };
        /**
         * @description Of which tasks a test must hold.
         * @enum {string}
         */
        TasksMeantView: "all" | "any" | "each";
        /** @description A test of one task. */
        TestView: {
            /** @enum {string} */
            kind: "succeeded";
        } | {
            /** @enum {string} */
            kind: "failed";
        } | {
            /** @enum {string} */
            kind: "skipped";
        } | {
            codes: number[];
            /** @enum {string} */
            kind: "exit-code";
        } | {
            /** @enum {string} */
            kind: "output";
            text: string;
        } | {
            /** @enum {string} */
            kind: "file";
            path: string;
        };
        /** @description A moment, in milliseconds since 1970-01-01 UTC. */
        Timestamp: number;
        /** @description A transaction. */
        TransactionView: {
            /** @description The block's time. */
            at?: components["schemas"]["Timestamp"];
            /** @description What would follow from it, for one that was only tried out. */
            happenings?: components["schemas"]["HappeningView"][];
            /**
             * Format: int64
             * @description The block it is in, once it is final.
             */
            height?: number;
            /** @description Its id; absent for one that was only tried out. */
            id?: components["schemas"]["Hash"];
            /** @description What it does, in a sentence, where this answer is to whoever asked for it; else empty. */
            sentence?: string;
            /** @description Where it is. */
            standing: components["schemas"]["WhereView"];
        };
        /** @description A transfer out of this node's account. */
        TransferRequest: {
            /** @description How much. */
            amount_micros: components["schemas"]["Micros"];
            /** @description Only try it out. */
            dry_run?: boolean;
            /** @description A few words, at most 64 bytes. */
            memo?: string;
            /** @description To whom: an account or a node. */
            to: components["schemas"]["Payee"];
        };
        /** @description Typed data of EIP-712, as `eth_signTypedData` and its verifiers take it. */
        TypedCheckpoint: {
            /** @description Where it counts. */
            domain: components["schemas"]["CheckpointDomain"];
            /** @description What it says. */
            message: components["schemas"]["CheckpointMessage"];
            /** @description Always `Checkpoint`. */
            primaryType: string;
            /** @description The type: `Checkpoint(uint64 epoch,…)`. */
            type: string;
        };
        /** @description Stake on its way out. */
        UnbondingView: {
            /** @description How much. */
            amount_micros: components["schemas"]["Micros"];
            /** @description From when it is free. */
            free_at: components["schemas"]["Timestamp"];
        };
        /** @description How a new revision takes the place of the one before. Absent ones have their default. */
        UpdateView: {
            /**
             * Format: int64
             * @description Time in which each new one must get healthy, in milliseconds.
             * @default 120000
             */
            healthy_ms?: number;
            /**
             * Format: int32
             * @description Replicas that are replaced at a time.
             * @default 1
             */
            parallel?: number;
            /**
             * @description Whether the revision before goes on where the new one does not get healthy.
             * @default true
             */
            rollback?: boolean;
        };
        /** @description Metered use of one run, or the sum over many. */
        UsageView: {
            /**
             * Format: int64
             * @description Processor time, in microseconds; 0 where the kernel could not say.
             */
            cpu_us: number;
            /**
             * Format: int64
             * @description Fuel: about one unit per WASM instruction.
             */
            fuel: number;
            /**
             * Format: int64
             * @description Input read, in bytes.
             */
            input_bytes: number;
            /**
             * Format: int64
             * @description Largest linear memory of any one run, in bytes.
             */
            memory_peak_bytes: number;
            /**
             * Format: int64
             * @description Output written, in bytes.
             */
            output_bytes: number;
            /**
             * Format: int64
             * @description Wall time, in microseconds.
             */
            wall_us: number;
        };
        /** @description Asks to add or remove a validator. */
        ValidatorRequest: {
            /** @description Only try it out. */
            dry_run?: boolean;
            /** @description Which node. */
            node: components["schemas"]["NodeId"];
        };
        /** @description One validator, or one that would be. */
        ValidatorView: {
            /** @description Whose stake answers for it. */
            account: components["schemas"]["AccountId"];
            /** @description Whether it is a candidate for the next. */
            is_candidate: boolean;
            /** @description Whether it is this node. */
            is_own: boolean;
            /** @description The node that votes. */
            node: components["schemas"]["NodeId"];
            /** @description How far it is trusted. */
            reputation: components["schemas"]["ReputationView"];
            /** @description What it has at stake. */
            staked_micros: components["schemas"]["Micros"];
            /** @description Whether it votes in this epoch. */
            votes_now: boolean;
        };
        /** @description Who votes, and who may from the next epoch on. */
        Validators: {
            /** @description Who names validators, in a private sky. */
            authority?: components["schemas"]["AccountId"];
            /**
             * Format: int64
             * @description Blocks of an epoch.
             */
            epoch_blocks: number;
            /** @description The block after which this was read. */
            head: components["schemas"]["HeadView"];
            /** @description In the order of their ids. */
            validators: components["schemas"]["ValidatorView"][];
        };
        /**
         * @description How a run was judged.
         * @enum {string}
         */
        VerdictView: "accepted" | "agreed" | "failed" | "rejected" | "undecided";
        /** @description How results are verified. */
        VerifyView: {
            /** @enum {string} */
            mode: "none";
        } | {
            /** @enum {string} */
            mode: "sample";
            /** Format: int32 */
            per_mille: number;
        } | {
            /** Format: int32 */
            agree: number;
            /** @enum {string} */
            mode: "quorum";
            /** Format: int32 */
            replicas: number;
            /** Format: int32 */
            replicas_max: number;
        } | {
            /** @enum {string} */
            mode: "reputation";
        } | {
            /** Format: int32 */
            agree: number;
            /** @enum {string} */
            mode: "checked";
            /** Format: int32 */
            replicas: number;
            /** Format: int32 */
            replicas_max: number;
        };
        /** @description One such folder. */
        VolumeView: {
            /** @description Its name. */
            name: string;
            /** @description Where the program finds it. */
            path: string;
            /**
             * Format: int64
             * @description Most bytes in it.
             */
            size_bytes: number;
        };
        /** @description Folders of a replica that stay when its program ends. Each slot of the service has its own. */
        VolumesView: {
            /** @description The folders, 1 to 8. */
            mounts: components["schemas"]["VolumeView"][];
            /**
             * Format: int64
             * @description Time between two saves while the program runs, in milliseconds: a second to a day.
             */
            save_ms?: number;
            /**
             * Format: int64
             * @description How long a host that does not answer is waited for before what was saved last goes on elsewhere, in milliseconds: at most a day.
             */
            wait_ms?: number;
        };
        /** @description An account, with those of the nodes that name it as their owner, all read after the same block. */
        Wallet: {
            /** @description Whose wallet. */
            account: components["schemas"]["AccountId"];
            /** @description The account itself, then those that it owns. */
            accounts: components["schemas"]["AccountView"][];
            /** @description `true`: prices are zero. */
            economy_free: boolean;
            /** @description The block after which all was read. */
            head: components["schemas"]["HeadView"];
            /** @description The sum over them. */
            total: components["schemas"]["MoneyView"];
        };
        /** @description A wallet that may log in. */
        WalletLogin: {
            /** @description Its address. */
            address: string;
            /** @description Since when it may. */
            created_at: components["schemas"]["Timestamp"];
            /** @description What it may do. */
            role: components["schemas"]["Role"];
        };
        /** @description Names a wallet that may log in, or gives it another role. */
        WalletLoginRequest: {
            /** @description Its address, such as `0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed`. */
            address: string;
            /** @description What it may do. */
            role: components["schemas"]["Role"];
        };
        /** @description Wallets that may log in. */
        WalletLogins: {
            /** @description In order of address. */
            wallets: components["schemas"]["WalletLogin"][];
        };
        /** @description Asks for a session with a signed message. */
        WalletSessionRequest: {
            /** @description The message, as it was signed. */
            message: string;
            /** @description The signature: `0x` and 130 hex digits. */
            signature: string;
        };
        /** @description When an automatic transfer is due. */
        WhenView: {
            /** @enum {string} */
            kind: "received";
            /** Format: int32 */
            percent: number;
        } | {
            /** @enum {string} */
            kind: "above";
            threshold_micros: components["schemas"]["Micros"];
        } | {
            amount_micros: components["schemas"]["Micros"];
            /** Format: int64 */
            interval_ms: number;
            /** @enum {string} */
            kind: "every";
            last_at?: components["schemas"]["Timestamp"];
        };
        /**
         * @description Where a transaction is.
         * @enum {string}
         */
        WhereView: "dry-run" | "waiting" | "final" | "unknown";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type AccountId = components['schemas']['AccountId'];
export type AccountView = components['schemas']['AccountView'];
export type AgreementId = components['schemas']['AgreementId'];
export type AutoTransferView = components['schemas']['AutoTransferView'];
export type AutoTransfers = components['schemas']['AutoTransfers'];
export type BlobRef = components['schemas']['BlobRef'];
export type Blocks = components['schemas']['Blocks'];
export type ChallengeRequest = components['schemas']['ChallengeRequest'];
export type ChallengeView = components['schemas']['ChallengeView'];
export type Check = components['schemas']['Check'];
export type CheckView = components['schemas']['CheckView'];
export type CheckpointDomain = components['schemas']['CheckpointDomain'];
export type CheckpointMessage = components['schemas']['CheckpointMessage'];
export type CheckpointSignatureView = components['schemas']['CheckpointSignatureView'];
export type CheckpointSignerView = components['schemas']['CheckpointSignerView'];
export type CheckpointView = components['schemas']['CheckpointView'];
export type ClusterView = components['schemas']['ClusterView'];
export type Clusters = components['schemas']['Clusters'];
export type Code = components['schemas']['Code'];
export type ConditionView = components['schemas']['ConditionView'];
export type ConfigView = components['schemas']['ConfigView'];
export type ConstraintsView = components['schemas']['ConstraintsView'];
export type ContainerOfferView = components['schemas']['ContainerOfferView'];
export type ContentView = components['schemas']['ContentView'];
export type Direction = components['schemas']['Direction'];
export type DoctorReport = components['schemas']['DoctorReport'];
export type FailureKind = components['schemas']['FailureKind'];
export type FileView = components['schemas']['FileView'];
export type GpuNeedView = components['schemas']['GpuNeedView'];
export type GpuVendor = components['schemas']['GpuVendor'];
export type GpuView = components['schemas']['GpuView'];
export type GraphqlAnswer = components['schemas']['GraphqlAnswer'];
export type GraphqlRequest = components['schemas']['GraphqlRequest'];
export type HappeningView = components['schemas']['HappeningView'];
export type HardwareView = components['schemas']['HardwareView'];
export type Hash = components['schemas']['Hash'];
export type HeadView = components['schemas']['HeadView'];
export type HealthView = components['schemas']['HealthView'];
export type History = components['schemas']['History'];
export type HistoryLine = components['schemas']['HistoryLine'];
export type HoursView = components['schemas']['HoursView'];
export type ImageRef = components['schemas']['ImageRef'];
export type ImageView = components['schemas']['ImageView'];
export type Images = components['schemas']['Images'];
export type InputsRequest = components['schemas']['InputsRequest'];
export type InviteRequest = components['schemas']['InviteRequest'];
export type InviteView = components['schemas']['InviteView'];
export type Invites = components['schemas']['Invites'];
export type Isolation = components['schemas']['Isolation'];
export type JobDetail = components['schemas']['JobDetail'];
export type JobEvent = components['schemas']['JobEvent'];
export type JobId = components['schemas']['JobId'];
export type JobNodeView = components['schemas']['JobNodeView'];
export type JobRequest = components['schemas']['JobRequest'];
export type JobSummary = components['schemas']['JobSummary'];
export type Jobs = components['schemas']['Jobs'];
export type KeepImageRequest = components['schemas']['KeepImageRequest'];
export type KeyRequest = components['schemas']['KeyRequest'];
export type KeyView = components['schemas']['KeyView'];
export type Keys = components['schemas']['Keys'];
export type LedgerEvent = components['schemas']['LedgerEvent'];
export type LedgerSummary = components['schemas']['LedgerSummary'];
export type LedgerView = components['schemas']['LedgerView'];
export type Level = components['schemas']['Level'];
export type LevelReason = components['schemas']['LevelReason'];
export type Limits = components['schemas']['Limits'];
export type LimitsView = components['schemas']['LimitsView'];
export type LinkView = components['schemas']['LinkView'];
export type ListOfNamedBlob = components['schemas']['ListOf_NamedBlob'];
export type ListOfU64 = components['schemas']['ListOf_u64'];
export type LoadView = components['schemas']['LoadView'];
export type MemberView = components['schemas']['MemberView'];
export type Members = components['schemas']['Members'];
export type Micros = components['schemas']['Micros'];
export type MisfitCountView = components['schemas']['MisfitCountView'];
export type MisfitCountsView = components['schemas']['MisfitCountsView'];
export type MoneyView = components['schemas']['MoneyView'];
export type NeedsView = components['schemas']['NeedsView'];
export type NetworkSummary = components['schemas']['NetworkSummary'];
export type NewKey = components['schemas']['NewKey'];
export type NodeId = components['schemas']['NodeId'];
export type NodeKind = components['schemas']['NodeKind'];
export type NodeView = components['schemas']['NodeView'];
export type NoteView = components['schemas']['NoteView'];
export type Notes = components['schemas']['Notes'];
export type OfferView = components['schemas']['OfferView'];
export type Offers = components['schemas']['Offers'];
export type OpenPortRequest = components['schemas']['OpenPortRequest'];
export type OpenPortView = components['schemas']['OpenPortView'];
export type OpenSessionView = components['schemas']['OpenSessionView'];
export type OpenSessions = components['schemas']['OpenSessions'];
export type OwnerRequest = components['schemas']['OwnerRequest'];
export type ParamsView = components['schemas']['ParamsView'];
export type PathView = components['schemas']['PathView'];
export type Payee = components['schemas']['Payee'];
export type PeerView = components['schemas']['PeerView'];
export type Peers = components['schemas']['Peers'];
export type Place = components['schemas']['Place'];
export type PriceHistory = components['schemas']['PriceHistory'];
export type PriceRange = components['schemas']['PriceRange'];
export type PriceSample = components['schemas']['PriceSample'];
export type ProbeView = components['schemas']['ProbeView'];
export type Problem = components['schemas']['Problem'];
export type ProgramRequest = components['schemas']['ProgramRequest'];
export type QuoteView = components['schemas']['QuoteView'];
export type ReadingsView = components['schemas']['ReadingsView'];
export type Real = components['schemas']['Real'];
export type ReceiptView = components['schemas']['ReceiptView'];
export type Region = components['schemas']['Region'];
export type RenameRequest = components['schemas']['RenameRequest'];
export type ReplicaId = components['schemas']['ReplicaId'];
export type ReplicaLimitsView = components['schemas']['ReplicaLimitsView'];
export type ReplicaState = components['schemas']['ReplicaState'];
export type ReplicaView = components['schemas']['ReplicaView'];
export type ReputationView = components['schemas']['ReputationView'];
export type Restart = components['schemas']['Restart'];
export type RetryView = components['schemas']['RetryView'];
export type Role = components['schemas']['Role'];
export type RoleView = components['schemas']['RoleView'];
export type RulesSwitchView = components['schemas']['RulesSwitchView'];
export type RunView = components['schemas']['RunView'];
export type Runs = components['schemas']['Runs'];
export type SavedView = components['schemas']['SavedView'];
export type ScaleRequest = components['schemas']['ScaleRequest'];
export type ServiceId = components['schemas']['ServiceId'];
export type ServiceLinkView = components['schemas']['ServiceLinkView'];
export type ServiceNoteView = components['schemas']['ServiceNoteView'];
export type ServiceRef = components['schemas']['ServiceRef'];
export type ServiceRequest = components['schemas']['ServiceRequest'];
export type ServiceScaleView = components['schemas']['ServiceScaleView'];
export type ServiceSecretView = components['schemas']['ServiceSecretView'];
export type ServiceStateView = components['schemas']['ServiceStateView'];
export type ServiceView = components['schemas']['ServiceView'];
export type Services = components['schemas']['Services'];
export type SessionRequest = components['schemas']['SessionRequest'];
export type SessionView = components['schemas']['SessionView'];
export type SettingSource = components['schemas']['SettingSource'];
export type SettingView = components['schemas']['SettingView'];
export type SharingView = components['schemas']['SharingView'];
export type SkyView = components['schemas']['SkyView'];
export type SpendLimit = components['schemas']['SpendLimit'];
export type SpendPer = components['schemas']['SpendPer'];
export type SpendView = components['schemas']['SpendView'];
export type StageQuoteView = components['schemas']['StageQuoteView'];
export type StageRequest = components['schemas']['StageRequest'];
export type StageStateView = components['schemas']['StageStateView'];
export type StageView = components['schemas']['StageView'];
export type StakeRequest = components['schemas']['StakeRequest'];
export type Standing = components['schemas']['Standing'];
export type StandingView = components['schemas']['StandingView'];
export type StateView = components['schemas']['StateView'];
export type Status = components['schemas']['Status'];
export type StorageView = components['schemas']['StorageView'];
export type StreamView = components['schemas']['StreamView'];
export type SubmitRequest = components['schemas']['SubmitRequest'];
export type Submitted = components['schemas']['Submitted'];
export type TaskCounts = components['schemas']['TaskCounts'];
export type TaskId = components['schemas']['TaskId'];
export type TaskLimitsView = components['schemas']['TaskLimitsView'];
export type TasksMeantView = components['schemas']['TasksMeantView'];
export type TestView = components['schemas']['TestView'];
export type Timestamp = components['schemas']['Timestamp'];
export type TransactionView = components['schemas']['TransactionView'];
export type TransferRequest = components['schemas']['TransferRequest'];
export type TypedCheckpoint = components['schemas']['TypedCheckpoint'];
export type UnbondingView = components['schemas']['UnbondingView'];
export type UpdateView = components['schemas']['UpdateView'];
export type UsageView = components['schemas']['UsageView'];
export type ValidatorRequest = components['schemas']['ValidatorRequest'];
export type ValidatorView = components['schemas']['ValidatorView'];
export type Validators = components['schemas']['Validators'];
export type VerdictView = components['schemas']['VerdictView'];
export type VerifyView = components['schemas']['VerifyView'];
export type VolumeView = components['schemas']['VolumeView'];
export type VolumesView = components['schemas']['VolumesView'];
export type Wallet = components['schemas']['Wallet'];
export type WalletLogin = components['schemas']['WalletLogin'];
export type WalletLoginRequest = components['schemas']['WalletLoginRequest'];
export type WalletLogins = components['schemas']['WalletLogins'];
export type WalletSessionRequest = components['schemas']['WalletSessionRequest'];
export type WhenView = components['schemas']['WhenView'];
export type WhereView = components['schemas']['WhereView'];
export type $defs = Record<string, never>;
export interface operations {
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A line for each sample. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text": unknown;
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    upload: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The content, of any length, streamed to disk. */
        requestBody: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            /** @description BlobRef */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BlobRef"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `storage-full`: the blob store is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    blob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The hash of the content. */
                hash: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The content, with `Content-Length`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `blob-not-found`: the content is not on this node. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    clusters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Clusters */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Clusters"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    config: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description ConfigView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigView"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    doctor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description DoctorReport */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DoctorReport"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    graphqlQuery: {
        parameters: {
            query?: {
                /** @description The document. */
                query?: string;
                /** @description Which of its operations, if it has several. */
                operationName?: string;
                /** @description Values of its variables, as JSON. */
                variables?: string;
                /** @description As in a request with a body, as JSON. */
                extensions?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked with `Upgrade: websocket`: the protocol `graphql-transport-ws`, for subscriptions too. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description GraphqlAnswer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GraphqlAnswer"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    graphql: {
        parameters: {
            query?: never;
            header?: {
                /** @description For what it spends or starts, as on the routes themselves. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GraphqlRequest"];
            };
        };
        responses: {
            /** @description GraphqlAnswer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GraphqlAnswer"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    images: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Images */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Images"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    keepImage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeepImageRequest"];
            };
        };
        responses: {
            /** @description Images */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Images"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `blob-not-found`: the content is not on this node. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `storage-full`: the blob store is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeImage: {
        parameters: {
            query: {
                /** @description Its name. */
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Images */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Images"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `image-not-found`: there is no such image. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    invites: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Invites */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invites"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    invite: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InviteRequest"];
            };
        };
        responses: {
            /** @description InviteView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InviteView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobs: {
        parameters: {
            query?: {
                /** @description Only jobs submitted before this moment (milliseconds since 1970): how to page on. */
                before?: number;
                /** @description At most this many (1 to 1000); 50 if absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Jobs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Jobs"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submit: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobRequest"];
            };
        };
        responses: {
            /** @description Submitted */
            201: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submitted"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `blob-not-found`: the content is not on this node. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-running`: the request is being done. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid-job`: the job is not valid. `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `storage-full`: the blob store is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    quote: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JobRequest"];
            };
        };
        responses: {
            /** @description QuoteView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QuoteView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `blob-not-found`: the content is not on this node. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid-job`: the job is not valid. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description JobDetail */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobDetail"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job-not-found`: there is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job-not-found`: there is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong-state`: the job's state does not allow that. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelJob: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The job. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description JobSummary */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job-not-found`: there is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong-state`: the job's state does not allow that. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    jobEvents: {
        parameters: {
            query?: {
                /** @description The `id` of the last event that came: the stream goes on after it. As `Last-Event-ID`, which not every client can send. */
                after?: string;
            };
            header?: {
                /** @description The `id` of the last event that came: the stream goes on after it. */
                "last-event-id"?: string;
            };
            path: {
                /** @description The job. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked with `Upgrade: websocket`: texts `{"id": …, "event": …}`; the last `id` is what `after` takes later. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Starts with where the job stands; ends after a final `job`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job-not-found`: there is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    notes: {
        parameters: {
            query?: {
                /** @description Only notes about this task. */
                task?: components["schemas"]["TaskId"];
            };
            header?: never;
            path: {
                /** @description The job. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Notes */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Notes"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job-not-found`: there is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryJob: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description The job. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description JobSummary */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobSummary"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `blob-not-found`: the content is not on this node. `job-not-found`: there is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `wrong-state`: the job's state does not allow that. `idempotency-running`: the request is being done. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `storage-full`: the blob store is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    runs: {
        parameters: {
            query?: {
                /** @description `Runs::next` of the page before. */
                after?: string;
                /** @description At most this many (1 to 1000); 100 if absent. */
                limit?: number;
                /** @description Only runs judged so. */
                state?: components["schemas"]["VerdictView"];
                /** @description Only runs of this task. */
                task?: components["schemas"]["TaskId"];
                /** @description Only runs of tasks of this stage, by position. */
                stage?: number;
            };
            header?: never;
            path: {
                /** @description The job. */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Runs"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `job-not-found`: there is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    taskLog: {
        parameters: {
            query?: {
                /** @description Which output. */
                stream?: components["schemas"]["StreamView"];
                /** @description Whether to stay until the task ends. */
                follow?: boolean;
                /** @description How many of its first bytes to leave out: a reader that comes back says how many it has. */
                after?: number;
            };
            header?: never;
            path: {
                /** @description The job. */
                job: string;
                /** @description The task. */
                task: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked with `Upgrade: websocket`: a text `{"from": N}` with the place where the bytes begin, then these; N and the count of bytes that came is what `after` takes later. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The bytes; of a task that runs, with `follow`, as they come. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `task-not-found`: there is no such task. `blob-not-found`: the content is not on this node. `job-not-found`: there is no such job. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Keys"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyRequest"];
            };
        };
        responses: {
            /** @description NewKey */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKey"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeKey: {
        parameters: {
            query: {
                /** @description Its name. */
                name: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Keys */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Keys"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-found`: there is no such API key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    walletLogins: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description WalletLogins */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WalletLogins"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addWalletLogin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WalletLoginRequest"];
            };
        };
        responses: {
            /** @description WalletLogins */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WalletLogins"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeWalletLogin: {
        parameters: {
            query: {
                /** @description Its address. */
                address: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description WalletLogins */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WalletLogins"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `key-not-found`: there is no such API key. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ledger: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description LedgerView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LedgerView"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    blocks: {
        parameters: {
            query?: {
                /** @description The first height; 1 if absent. */
                from?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Blocks */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Blocks"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkpoint: {
        parameters: {
            query?: {
                /** @description Of which epoch; the newest if absent. */
                epoch?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description CheckpointView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckpointView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `checkpoint-not-found`: there is no such checkpoint. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `ledger-not-ready`: the ledger is not far enough. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ledgerEvents: {
        parameters: {
            query?: {
                /** @description The `id` of the last event that came: the stream goes on after it. As `Last-Event-ID`, which not every client can send. */
                after?: string;
            };
            header?: {
                /** @description The `id` of the last event that came: the height of a block. */
                "last-event-id"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked with `Upgrade: websocket`: texts `{"id": …, "event": …}`; the last `id` is what `after` takes later. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Starts with `head`, if that is news; goes on until its reader leaves. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    proof: {
        parameters: {
            query?: {
                /** @description Of an account's money. */
                account?: components["schemas"]["Payee"];
                /** @description Of an agreement's escrow. */
                agreement?: components["schemas"]["AgreementId"];
                /** @description Of any entry, by its encoded key in hex. */
                key?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What `opensky ledger verify` takes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `ledger-not-ready`: the ledger is not far enough. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    limits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description LimitsView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitsView"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setLimits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Limits"];
            };
        };
        responses: {
            /** @description LimitsView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitsView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    nodeLog: {
        parameters: {
            query?: {
                /** @description Whether to stay. */
                follow?: boolean;
                /** @description Lines of the past, at most 10,000; 100 if absent. */
                lines?: number;
                /** @description Instead of `lines`: the place in the file to begin at, in bytes. A WebSocket says where it began. */
                after?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked with `Upgrade: websocket`: a text `{"from": N}` with the place where the bytes begin, then these; N and the count of bytes that came is what `after` takes later. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A line each; with `follow`, new ones as they are written. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": unknown;
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    members: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Members */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Members"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    node: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description NodeView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeView"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rename: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RenameRequest"];
            };
        };
        responses: {
            /** @description NodeView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NodeView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    offers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Offers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Offers"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    priceHistory: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description PriceHistory */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PriceHistory"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    peers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Peers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Peers"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    receipt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description ReceiptView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceiptView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `receipt-not-found`: there is no such receipt. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    services: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Services */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Services"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    declareService: {
        parameters: {
            query?: {
                /** @description Only if the newest revision is this one still; 0: only if there is no such service yet. Absent: always. */
                after?: number;
            };
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServiceRequest"];
            };
        };
        responses: {
            /** @description ServiceView */
            201: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `blob-not-found`: the content is not on this node. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-running`: the request is being done. `wrong-state`: the job's state does not allow that. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. `invalid-service`: the service is not valid. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `storage-full`: the blob store is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    service: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The service. */
                service: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description ServiceView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `service-not-found`: there is no such service. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeService: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The service. */
                service: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its replicas are ending. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `service-not-found`: there is no such service. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    serviceLog: {
        parameters: {
            query?: {
                /** @description Only this replica. */
                slot?: number;
                /** @description Whether it goes on as it is written. */
                follow?: boolean;
            };
            header?: never;
            path: {
                /** @description The service. */
                service: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked with `Upgrade: websocket`: a text for each `ServiceLogPart`, without a cursor. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A `ServiceLogPart` in each line. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": unknown;
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `service-not-found`: there is no such service. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openServicePort: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description The service. */
                service: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenPortRequest"];
            };
        };
        responses: {
            /** @description OpenPortView */
            201: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenPortView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `service-not-found`: there is no such service. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-running`: the request is being done. `wrong-state`: the job's state does not allow that. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    closeServicePort: {
        parameters: {
            query: {
                /** @description Where the node listens. */
                listen: string;
            };
            header?: never;
            path: {
                /** @description The service. */
                service: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nothing listens there any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `service-not-found`: there is no such service. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rollBackService: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description The service. */
                service: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description ServiceView */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `service-not-found`: there is no such service. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-running`: the request is being done. `wrong-state`: the job's state does not allow that. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `storage-full`: the blob store is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    scaleService: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path: {
                /** @description The service. */
                service: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScaleRequest"];
            };
        };
        responses: {
            /** @description ServiceView */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `service-not-found`: there is no such service. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-running`: the request is being done. `wrong-state`: the job's state does not allow that. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. `invalid-service`: the service is not valid. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `storage-full`: the blob store is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description SessionView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionRequest"];
            };
        };
        responses: {
            /** @description SessionView */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    closeSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    walletChallenge: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChallengeRequest"];
            };
        };
        responses: {
            /** @description ChallengeView */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChallengeView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    loginLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description LinkView */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LinkView"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openWalletSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WalletSessionRequest"];
            };
        };
        responses: {
            /** @description SessionView */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenSessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenSessions"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endSession: {
        parameters: {
            query: {
                /** @description Its id. */
                id: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenSessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenSessions"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `session-not-found`: there is no such session. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Status */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stop: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The node is stopping. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submitTransaction: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SubmitRequest"];
            };
        };
        responses: {
            /** @description TransactionView */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `transaction-rejected`: the rules of the ledger do not allow it. `not-approved`: another node did not sign. `idempotency-running`: the request is being done. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    transaction: {
        parameters: {
            query?: {
                /** @description How long to wait for it to be final, at most `WAIT_MS_MAX`. */
                wait_ms?: number;
            };
            header?: never;
            path: {
                /** @description Its id. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description TransactionView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `ledger-not-ready`: the ledger is not far enough. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    validators: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Validators */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Validators"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addValidator: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ValidatorRequest"];
            };
        };
        responses: {
            /** @description TransactionView */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `transaction-rejected`: the rules of the ledger do not allow it. `not-approved`: another node did not sign. `idempotency-running`: the request is being done. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeValidator: {
        parameters: {
            query?: {
                /** @description Only try it out. */
                dry_run?: boolean;
            };
            header?: never;
            path: {
                /** @description The node. */
                node: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description TransactionView */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `transaction-rejected`: the rules of the ledger do not allow it. `not-approved`: another node did not sign. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    wallet: {
        parameters: {
            query?: {
                /** @description Whose; this node's account if absent. */
                account?: components["schemas"]["Payee"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Wallet */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Wallet"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `account-not-found`: there is no such account. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `ledger-not-ready`: the ledger is not far enough. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    autoTransfers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description AutoTransfers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutoTransfers"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setAutoTransfers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AutoTransfers"];
            };
        };
        responses: {
            /** @description AutoTransfers */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutoTransfers"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    history: {
        parameters: {
            query?: {
                /** @description Whose; this node's account if absent. */
                account?: components["schemas"]["Payee"];
                /** @description Only what came before this place. */
                before?: components["schemas"]["Place"];
                /** @description At most this many lines, at most 1,000; 50 if absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description History */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `ledger-not-ready`: the ledger is not far enough. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setOwner: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OwnerRequest"];
            };
        };
        responses: {
            /** @description TransactionView */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `transaction-rejected`: the rules of the ledger do not allow it. `not-approved`: another node did not sign. `idempotency-running`: the request is being done. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stake: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StakeRequest"];
            };
        };
        responses: {
            /** @description TransactionView */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `transaction-rejected`: the rules of the ledger do not allow it. `not-approved`: another node did not sign. `idempotency-running`: the request is being done. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    transfer: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransferRequest"];
            };
        };
        responses: {
            /** @description TransactionView */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `transaction-rejected`: the rules of the ledger do not allow it. `not-approved`: another node did not sign. `idempotency-running`: the request is being done. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    unstake: {
        parameters: {
            query?: never;
            header?: {
                /** @description Asked again with the same key within a day, it answers the same and does nothing. */
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StakeRequest"];
            };
        };
        responses: {
            /** @description TransactionView */
            200: {
                headers: {
                    /** @description `true` if this was answered before. */
                    "idempotency-replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TransactionView"];
                };
            };
            /** @description `invalid-request`: the request is malformed. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthorized`: no token, key or session that works. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not-allowed`: not allowed. `spend-limit`: the key has spent what it may. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `transaction-rejected`: the rules of the ledger do not allow it. `not-approved`: another node did not sign. `idempotency-running`: the request is being done. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`: the request is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency-mismatch`: the idempotency key was used for another request. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate-limited`: asked too often. */
            429: {
                headers: {
                    /** @description Seconds to wait. */
                    "retry-after"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal`: the node failed. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `shutting-down`: the node is shutting down. `busy`: the node is busy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `timed-out`: there was no answer in time. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
