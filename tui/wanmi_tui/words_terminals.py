"""The words of deciding on terminals, as ``words.T`` has them."""

from __future__ import annotations

from wanmi_tui.texts import Text


class TerminalWords:
    """The texts."""

    asking = Text("申请准入", "asks to join")
    fingerprint = Text("指纹", "fingerprint")
    model = Text("型号", "model")
    asked_at = Text("申请于", "asked")
    expires_at = Text("有效至", "good until")
    compare = Text(
        "指纹须与终端屏幕上的一致；a 批准，d 驳回",
        "compare it with the terminal's screen; a admits the terminal, d turns it away",
    )
    approve_title = Text("批准终端：{what}", "Admit a terminal: {what}")
    approve_id = Text("终端编号，如 T{code}-0001；空：下一个", "its id, such as T{code}-0001; empty: the next free one")
    approve_holder = Text("持有人编号（可空）", "the id of who carries it (may be empty)")
    approve_same = Text("终端屏幕上的指纹与此相同，批准", "the terminal shows this very fingerprint: admit it")
    approve_not = Text("不同或未核对，不批准", "it differs or nobody looked: do not")
    approve_lost = Text(
        "{word} 已用另一密钥准入。原密钥若已丢失，键入 {word} 以替换",
        "{word} is admitted with another key. If that key is lost, type {word} to replace it",
    )
    deny_title = Text("驳回终端：{what}", "Turn a terminal away: {what}")
    deny_hint = Text("原因（终端会显示），回车驳回", "why (the terminal shows it), Enter to do it")
    rotate_title = Text("轮换密钥：{what}", "A new key for {what}")
    rotate_hint = Text(
        "终端得知后自行换新密钥与密码。原因，回车下令", "it makes one when it hears of it. Why, Enter to order it"
    )
    revoke_title = Text("吊销终端：{what}", "Revoke {what}")
    revoke_hint = Text("原因，回车继续", "why, Enter to go on")
    revoke_sure = Text(
        "此后拒收它的一切，无法撤回。键入 {word} 以吊销",
        "Nothing of it is taken any more; this is not undone. Type {word} to revoke it",
    )
    reason_needed = Text("请写明原因", "say why")
    not_asking = Text("所选不是申请准入的终端", "the chosen line is no terminal that asks")
    not_admitted = Text("所选不是已准入的终端", "the chosen line is no terminal that is admitted")
    district_decides = Text(
        "由区节点 {node} 决定：用 --url 加上它", "its district {node} decides: add that node's --url"
    )

    # keys and their help
    k_deny = Text("驳回申请准入的终端（a 批准）", "turn a terminal away that asks (a admits it)")
    k_rotate = Text("令终端换新密钥", "have a terminal make a new key")
    k_revoke = Text("吊销终端", "revoke a terminal")
    key_approve = Text("批准", "admit")
    key_deny = Text("驳回", "deny")
    key_rotate = Text("轮换", "rotate")
    key_revoke = Text("吊销", "revoke")
